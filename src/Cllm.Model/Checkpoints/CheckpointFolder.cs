using Cllm.Model.Files;
using Cllm.Model.HuggingFace;
using Cllm.Model.Shape;

namespace Cllm.Model.Checkpoints;

/// <summary>One checkpoint: model.safetensors, optimizer.safetensors and state.json, which vouches for the other two.</summary>
public static class CheckpointFolder
{
    /// <summary>The file with the weights, as Hugging Face names and shapes them.</summary>
    public const string WeightsName = HuggingFaceFolder.WeightsName;

    /// <summary>The file with Adam's state: first moments as exp_avg.NAME, then second moments as exp_avg_sq.NAME.</summary>
    public const string OptimizerName = "optimizer.safetensors";

    /// <summary>The file that says what the others are.</summary>
    public const string StateName = "state.json";

    private const string FirstMoment = "exp_avg.";
    private const string SecondMoment = "exp_avg_sq.";
    private const int StateBytesMax = 1 << 16;

    /// <summary>Checks state.json and every byte of the other files, without loading a tensor.</summary>
    /// <exception cref="InputException">A file is missing, cut or changed.</exception>
    public static CheckpointState Verify(IFileStore store, string folder)
    {
        var state = ReadState(store, folder);
        Verify(store, Path.Combine(folder, WeightsName), state.Weights, state.WeightsDigest);
        Verify(store, Path.Combine(folder, OptimizerName), state.Optimizer, state.OptimizerDigest);
        return state;
    }

    /// <summary>Reads state.json, which vouches for itself, and leaves the other files alone.</summary>
    /// <exception cref="InputException">It is missing, cut or changed.</exception>
    public static CheckpointState ReadState(IFileStore store, string folder) => ReadState(store, folder, out _);

    /// <summary>Reads state.json, and gives its bytes as well.</summary>
    internal static CheckpointState ReadState(IFileStore store, string folder, out byte[] content)
    {
        string path = Path.Combine(folder, StateName);
        using var file = store.OpenRead(path);
        RequireStateLength(path, file.Length);
        content = new byte[file.Length];
        file.Read(0, content);
        return CheckpointState.Parse(path, content);
    }

    /// <summary>Reads a state.json that came from elsewhere.</summary>
    /// <exception cref="InputException">It is none, or was cut or changed.</exception>
    internal static CheckpointState ParseState(string what, byte[] content)
    {
        RequireStateLength(what, content.Length);
        return CheckpointState.Parse(what, content);
    }

    /// <summary>Loads the tensors and checks every byte of their files on the way, reading each once.</summary>
    /// <param name="store">Where it lies.</param>
    /// <param name="folder">The checkpoint's folder.</param>
    /// <param name="state">Its state.json.</param>
    /// <param name="layout">The layout of the state's shape.</param>
    /// <param name="weights">Gets the flat parameter vector, padding zero.</param>
    /// <param name="m">Gets Adam's first moments.</param>
    /// <param name="v">Gets Adam's second moments.</param>
    /// <exception cref="InputException">A file was cut or changed, or a tensor is not what the layout says.</exception>
    public static void Load(
        IFileStore store, string folder, CheckpointState state, ParameterLayout layout, Span<float> weights, Span<float> m, Span<float> v)
    {
        LoadWeights(store, folder, state, layout, weights);
        string path = Path.Combine(folder, OptimizerName);
        using var reader = Open(store, path, state.Optimizer);
        RequireTensors(path, reader, 2 * layout.Tensors.Count);
        Load(path, reader, layout, FirstMoment, m);
        Load(path, reader, layout, SecondMoment, v);
        RequireDigest(path, Digest.Optimizer(layout, m, v), state.OptimizerDigest);
    }

    /// <summary>Loads only the weights, and checks every byte of their file.</summary>
    /// <exception cref="InputException">The file was cut or changed, or a tensor is not what the layout says.</exception>
    public static void LoadWeights(IFileStore store, string folder, CheckpointState state, ParameterLayout layout, Span<float> weights)
    {
        string path = Path.Combine(folder, WeightsName);
        using var reader = Open(store, path, state.Weights);
        RequireTensors(path, reader, layout.Tensors.Count);
        Load(path, reader, layout, "", weights);
        RequireDigest(path, Digest.Weights(layout, weights), state.WeightsDigest);
    }

    /// <summary>Writes all three files and flushes them; naming the folder so that others find it is the caller's.</summary>
    internal static void Write(IFileStore store, string folder, in CheckpointContent content)
    {
        var layout = content.Layout;
        CheckpointFile weights;
        using (var file = store.Create(Path.Combine(folder, WeightsName)))
        {
            weights = Close(file, HuggingFaceFolder.WriteWeights(file, layout, content.Weights));
        }

        CheckpointFile optimizer;
        using (var file = store.Create(Path.Combine(folder, OptimizerName)))
        {
            optimizer = Close(file, WriteOptimizer(file, layout, content.M, content.V));
        }

        var state = new CheckpointState
        {
            Step = content.Step,
            Shape = layout.Shape,
            ConfigurationDigest = content.ConfigurationDigest,
            WeightsDigest = Digest.Weights(layout, content.Weights),
            OptimizerDigest = Digest.Optimizer(layout, content.M, content.V),
            Weights = weights,
            Optimizer = optimizer,
        };
        using var stateFile = store.Create(Path.Combine(folder, StateName));
        stateFile.Write(state.ToBytes());
        stateFile.FlushToDisk();
    }

    private static void RequireStateLength(string path, long bytes)
    {
        if (bytes > StateBytesMax)
        {
            throw new InputException($"{path} has {bytes} bytes, more than any state.json; use an older checkpoint.");
        }
    }

    private static SafetensorsWriter WriteOptimizer(IFileWriter file, ParameterLayout layout, ReadOnlySpan<float> m, ReadOnlySpan<float> v)
    {
        var names = new[] { FirstMoment, SecondMoment }.SelectMany(prefix => layout.Tensors.Select(t => (prefix + t.Name, t.Dimensions)));
        var writer = new SafetensorsWriter(file, [.. names]);
        foreach (var tensor in layout.Tensors)
        {
            writer.Write(FirstMoment + tensor.Name, m.Slice(tensor.Offset, tensor.Length));
        }

        foreach (var tensor in layout.Tensors)
        {
            writer.Write(SecondMoment + tensor.Name, v.Slice(tensor.Offset, tensor.Length));
        }

        writer.Complete();
        return writer;
    }

    private static CheckpointFile Close(IFileWriter file, SafetensorsWriter writer)
    {
        file.FlushToDisk();
        return new CheckpointFile(writer.FileBytes, writer.HeaderDigest);
    }

    private static void Verify(IFileStore store, string path, CheckpointFile expected, string digest)
    {
        using var reader = Open(store, path, expected);
        RequireDigest(path, reader.DataDigest(), digest);
    }

    /// <summary>Opens a file whose length and header are those that were written.</summary>
    private static SafetensorsReader Open(IFileStore store, string path, CheckpointFile expected)
    {
        var reader = SafetensorsReader.Open(store, path);
        string? fault = reader.FileBytes != expected.Bytes ? $"has {reader.FileBytes} bytes and was written with {expected.Bytes}"
            : reader.HeaderDigest != expected.HeaderSha256 ? "was changed after it was written: the SHA-256 of its header does not fit"
            : null;
        if (fault is null)
        {
            return reader;
        }

        reader.Dispose();
        throw new InputException($"{path} {fault}; use an older checkpoint.");
    }

    private static void Load(string path, SafetensorsReader reader, ParameterLayout layout, string prefix, Span<float> flat)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(flat.Length, layout.Length);
        flat.Clear();
        foreach (var tensor in layout.Tensors)
        {
            string name = prefix + tensor.Name;
            var found = reader.Find(name);
            if (found is null || !found.Dimensions.SequenceEqual(tensor.Dimensions.Select(d => (long)d)))
            {
                throw new InputException(
                    $"{path} holds the tensor {name} with shape {found?.ShownShape ?? "none"} " +
                    $"where [{string.Join(", ", tensor.Dimensions)}] is needed; use a checkpoint of this run.");
            }

            reader.Read(found, flat.Slice(tensor.Offset, tensor.Length));
        }
    }

    private static void RequireTensors(string path, SafetensorsReader reader, int count)
    {
        if (reader.Tensors.Count != count)
        {
            throw new InputException(
                $"{path} holds {reader.Tensors.Count} tensors where {count} are needed; use a checkpoint of this run.");
        }
    }

    private static void RequireDigest(string path, string digest, string expected)
    {
        if (digest != expected)
        {
            throw new InputException(
                $"{path} was changed after it was written: the SHA-256 of its numbers does not fit; use an older checkpoint.");
        }
    }
}
