using System.Buffers;
using System.Text.Json;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Model.HuggingFace;

/// <summary>The config.json of a Hugging Face GPT-2 model: what of it this program can compute, and what it must refuse.</summary>
internal static class HuggingFaceConfiguration
{
    private const double LayerNormEpsilon = 1e-5;
    private const int LayersMax = 10_000;
    private const int BytesMax = 1 << 20;

    public static GptShape Read(IFileStore store, string path)
    {
        var fields = ReadFields(store, path);
        if (!fields.Has("model_type") || fields.Text("model_type") != "gpt2")
        {
            throw Refused(path, "is not the configuration of a model of type gpt2");
        }

        RequireComputable(path, fields);
        var shape = new GptShape(
            fields.Count("vocab_size", 1), fields.Count("n_positions", 1), fields.Count("n_layer", 1, LayersMax),
            fields.Count("n_head", 1), fields.Count("n_embd", 1));
        try
        {
            return shape.Validate();
        }
        catch (InputException e)
        {
            throw new InputException($"{path}: {e.Message}", e);
        }
    }

    public static byte[] Write(GptShape shape)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteNumber("vocab_size", shape.Vocabulary);
        json.WriteNumber("n_positions", shape.Block);
        json.WriteNumber("n_ctx", shape.Block);
        json.WriteNumber("n_embd", shape.Width);
        json.WriteNumber("n_layer", shape.Layers);
        json.WriteNumber("n_head", shape.Heads);
        json.WriteNumber("layer_norm_epsilon", LayerNormEpsilon);
        json.WriteString("activation_function", "gelu_new");
        json.WriteString("model_type", "gpt2");
        json.WriteStartArray("architectures");
        json.WriteStringValue("GPT2LMHeadModel");
        json.WriteEndArray();
        json.WriteBoolean("tie_word_embeddings", true);
        // Without these two a reader takes GPT-2's own id 50256, which most vocabularies here do not have.
        json.WriteNull("bos_token_id");
        json.WriteNull("eos_token_id");
        json.WriteEndObject();
        json.Flush();
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static JsonFields ReadFields(IFileStore store, string path)
    {
        using var file = store.OpenRead(path);
        if (file.Length > BytesMax)
        {
            throw Refused(path, $"has {file.Length} bytes, too many for a configuration");
        }

        byte[] content = new byte[file.Length];
        file.Read(0, content);
        return JsonFields.Parse(path, content);
    }

    // Absent fields have the values that Hugging Face's GPT2Config gives them.
    private static void RequireComputable(string path, JsonFields fields)
    {
        string activation = fields.Has("activation_function") ? fields.Text("activation_function") : "gelu_new";
        if (activation is not ("gelu_new" or "gelu_pytorch_tanh"))
        {
            string shown = JsonFields.Shown(activation);
            throw Refused(path, $"asks for the activation \"{shown}\", and only gelu_new and gelu_pytorch_tanh can be computed");
        }

        double epsilon = fields.Has("layer_norm_epsilon") ? fields.Number("layer_norm_epsilon") : LayerNormEpsilon;
        if (epsilon != LayerNormEpsilon)
        {
            throw Refused(path, $"asks for a layer_norm_epsilon of {epsilon}, and only {LayerNormEpsilon} can be computed");
        }

        if (fields.Has("n_inner") && fields.Whole("n_inner", 1) != 4L * fields.Count("n_embd", 1))
        {
            throw Refused(path, "has an n_inner that is not four times n_embd");
        }

        Require("tie_word_embeddings", true);
        Require("scale_attn_weights", true);
        Require("scale_attn_by_inverse_layer_idx", false);
        Require("add_cross_attention", false);

        void Require(string name, bool value)
        {
            if (fields.Has(name) && fields.Flag(name) != value)
            {
                throw Refused(path, $"sets {name} to {(value ? "false" : "true")}, which cannot be computed");
            }
        }
    }

    private static InputException Refused(string path, string what) => new($"{path} {what}; choose a plain GPT-2 model.");
}
