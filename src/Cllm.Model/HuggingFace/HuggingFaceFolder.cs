using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Model.HuggingFace;

/// <summary>
/// A folder with a GPT-2 model as Hugging Face's transformers reads and writes it: config.json, model.safetensors and, when there is
/// one, tokenizer.json. Linear weights are Conv1D, that is [in, out].
/// </summary>
public static class HuggingFaceFolder
{
    /// <summary>The file with the weights.</summary>
    public const string WeightsName = "model.safetensors";

    /// <summary>The file with the shape.</summary>
    public const string ConfigurationName = "config.json";

    /// <summary>The file with the tokenizer.</summary>
    public const string TokenizerName = "tokenizer.json";

    /// <summary>How transformers names weights in forms that are not read here: Python's pickle, and several files with an index.</summary>
    private static readonly string[] OtherForms = ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.safetensors.index.json"];

    private const string Prefix = "transformer.";
    private const string HeadName = "lm_head.weight";
    private const string EmbeddingName = "wte.weight";

    /// <summary>Reads the shape from config.json.</summary>
    /// <exception cref="InputException">It is missing, damaged, or describes a model that this program cannot compute.</exception>
    public static GptShape Read(string folder) =>
        HuggingFaceConfiguration.Read(DiskFileStore.Instance, Path.Combine(folder, ConfigurationName));

    /// <summary>The file that says that a folder has weights in a form that is not read here; null when there is none.</summary>
    public static string? OtherWeights(string folder) => OtherForms.FirstOrDefault(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Reads the weights from model.safetensors, whatever their precision there.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="layout">The layout of the shape that <see cref="Read"/> gave.</param>
    /// <param name="flat">Gets the whole flat parameter vector; its padding becomes zero.</param>
    /// <exception cref="InputException">
    /// A tensor is missing, unknown, twice there, of another shape or not finite, or the output head is not tied to the embedding.
    /// </exception>
    public static void LoadWeights(string folder, ParameterLayout layout, Span<float> flat)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(flat.Length, layout.Length);
        string path = Path.Combine(folder, WeightsName);
        using var reader = SafetensorsReader.Open(path);
        var found = Match(path, reader, layout);
        flat.Clear();
        foreach (var tensor in layout.Tensors)
        {
            var values = flat.Slice(tensor.Offset, tensor.Length);
            reader.Read(found[tensor.Name], values);
            RequireFinite(path, tensor.Name, values);
        }

        if (found.TryGetValue(HeadName, out var head))
        {
            RequireTied(path, reader, head, layout[EmbeddingName], flat);
        }
    }

    /// <summary>
    /// Writes a model. Each file appears whole or not at all, the weights last, so a folder that has them has the rest as well.
    /// </summary>
    /// <param name="folder">Made when it is not there.</param>
    /// <param name="layout">The model's layout.</param>
    /// <param name="flat">The flat parameter vector.</param>
    /// <param name="tokenizer">The content of tokenizer.json; null for none.</param>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public static void Write(string folder, ParameterLayout layout, ReadOnlySpan<float> flat, byte[]? tokenizer)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(flat.Length, layout.Length);
        var store = DiskFileStore.Instance;
        store.CreateFolder(folder);
        AtomicFile.Write(store, Path.Combine(folder, ConfigurationName), HuggingFaceConfiguration.Write(layout.Shape));
        if (tokenizer is not null)
        {
            AtomicFile.Write(store, Path.Combine(folder, TokenizerName), tokenizer);
        }

        using var file = AtomicFile.Begin(store, Path.Combine(folder, WeightsName));
        WriteWeights(file.Writer, layout, flat);
        file.Commit();
    }

    /// <summary>Writes the content of a model.safetensors: all tensors in layout order.</summary>
    internal static SafetensorsWriter WriteWeights(IFileWriter file, ParameterLayout layout, ReadOnlySpan<float> flat)
    {
        // transformers refuses a file that does not say which framework's layout it has.
        var writer = new SafetensorsWriter(file, [.. layout.Tensors.Select(t => (t.Name, t.Dimensions))], [new("format", "pt")]);
        foreach (var tensor in layout.Tensors)
        {
            writer.Write(tensor.Name, flat.Slice(tensor.Offset, tensor.Length));
        }

        writer.Complete();
        return writer;
    }

    private static Dictionary<string, SafetensorsTensor> Match(string path, SafetensorsReader reader, ParameterLayout layout)
    {
        var expected = layout.Tensors.ToDictionary(t => t.Name, t => t.Dimensions.Select(d => (long)d).ToArray());
        expected.Add(HeadName, expected[EmbeddingName]);
        var found = new Dictionary<string, SafetensorsTensor>();
        foreach (var tensor in reader.Tensors)
        {
            string name = tensor.Name.StartsWith(Prefix, StringComparison.Ordinal) ? tensor.Name[Prefix.Length..] : tensor.Name;
            if (IsMaskBuffer(name))
            {
                continue;
            }

            string shown = JsonFields.Shown(tensor.Name);
            if (!expected.TryGetValue(name, out long[]? dimensions))
            {
                throw new InputException(
                    $"{path} holds the tensor {shown} of shape {tensor.ShownShape}, " +
                    $"which a GPT-2 of {layout.Shape.Layers} layers does not have; check that {ConfigurationName} belongs to it.");
            }

            if (!tensor.Dimensions.SequenceEqual(dimensions))
            {
                throw new InputException(
                    $"{path} holds the tensor {shown} with shape {tensor.ShownShape} where {Shape(dimensions)} is needed; " +
                    $"check that {ConfigurationName} belongs to it.");
            }

            if (!found.TryAdd(name, tensor))
            {
                throw new InputException($"{path} holds the tensor {shown} both with and without \"{Prefix}\" before its name; keep one.");
            }
        }

        var missing = layout.Tensors.FirstOrDefault(t => !found.ContainsKey(t.Name));
        return missing is null ? found : throw new InputException(
            $"{path} lacks the tensor {missing.Name} of shape {Shape(expected[missing.Name])}; " +
            $"check that {ConfigurationName} belongs to it.");
    }

    // Causal masks that old versions of transformers saved with the weights: h.N.attn.bias and h.N.attn.masked_bias.
    private static bool IsMaskBuffer(string name)
    {
        string[] parts = name.Split('.');
        return parts is ["h", var layer, "attn", "bias" or "masked_bias"] && int.TryParse(layer, out _);
    }

    private static void RequireFinite(string path, string name, ReadOnlySpan<float> values)
    {
        int index = NonFinite.IndexIn(values);
        if (index >= 0)
        {
            throw new InputException($"{path}: tensor {name} holds {values[index]} at index {index}; take a checkpoint from before training broke.");
        }
    }

    private static void RequireTied(
        string path, SafetensorsReader reader, SafetensorsTensor head, TensorSpec embedding, ReadOnlySpan<float> flat)
    {
        float[] values = new float[embedding.Length];
        reader.Read(head, values);
        if (!flat.Slice(embedding.Offset, embedding.Length).SequenceEqual(values))
        {
            throw new InputException(
                $"{path}: {HeadName} differs from {EmbeddingName}, and only models whose output head is tied to the token embedding " +
                "can be read; choose another model.");
        }
    }

    private static string Shape(long[] dimensions) => $"[{string.Join(", ", dimensions)}]";
}
