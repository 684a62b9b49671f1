using System.Text.Json.Nodes;
using Cllm.Model;
using Cllm.Model.Files;
using Cllm.Model.HuggingFace;
using Cllm.Model.Shape;
using Cllm.Tests.Files;

namespace Cllm.Tests.HuggingFace;

public sealed class HuggingFaceFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Folder => _folder.FullPath;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gpt2-tiny", 101, 16, 2, 4, 32)]
    [InlineData("gpt2-odd", 77, 13, 3, 3, 24)]
    public void A_model_written_by_others_is_read_and_written_back_byte_for_byte(string name, int V, int T, int layers, int H, int C)
    {
        string reference = Path.Combine(AppContext.BaseDirectory, "Reference", name);
        var shape = HuggingFaceFolder.Read(reference);
        Assert.Equal(new GptShape(V, T, layers, H, C), shape);
        var layout = new ParameterLayout(shape);
        float[] flat = Load(reference, layout);

        HuggingFaceFolder.Write(Folder, layout, flat, tokenizer: null);
        Assert.Equal(Data(Path.Combine(reference, "model.safetensors")), Data(_folder.At("model.safetensors")));
        Assert.Equal(shape, HuggingFaceFolder.Read(Folder));
        Assert.Equal(flat, Load(Folder, layout));
        Assert.Equal(["config.json", "model.safetensors"], DiskFileStore.Instance.List(Folder));
    }

    [Fact]
    public void The_written_configuration_has_every_field_of_the_one_that_was_read()
    {
        string reference = Path.Combine(AppContext.BaseDirectory, "Reference", "gpt2-tiny");
        var layout = new ParameterLayout(HuggingFaceFolder.Read(reference));
        HuggingFaceFolder.Write(Folder, layout, new float[layout.Length], tokenizer: null);
        var there = JsonNode.Parse(File.ReadAllText(Path.Combine(reference, "config.json")))!.AsObject();
        var here = JsonNode.Parse(File.ReadAllText(_folder.At("config.json")))!.AsObject();
        Assert.All(there, field => Assert.True(JsonNode.DeepEquals(field.Value, here[field.Key]), field.Key));
    }

    [Fact]
    public void The_tokenizer_is_written_as_it_is()
    {
        var sample = Sample();
        HuggingFaceFolder.Write(Folder, sample.Layout, new float[sample.Layout.Length], [1, 2, 3]);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_folder.At("tokenizer.json")));
    }

    [Fact]
    public void Names_may_have_the_prefix_of_the_whole_model()
    {
        var sample = Sample();
        sample.Write(Folder, t => t with { Name = "transformer." + t.Name });
        Assert.Equal(sample.Flat, Load(Folder, sample.Layout));
    }

    [Fact]
    public void A_tied_head_and_old_masks_are_passed_over()
    {
        var sample = Sample();
        var embedding = sample.Tensors[0];
        sample.Tensors.Insert(3, embedding with { Name = "lm_head.weight" });
        sample.Tensors.Add(new NamedTensor("h.0.attn.bias", [1, 1, 3, 3], new float[9]));
        sample.Tensors.Add(new NamedTensor("transformer.h.1.attn.masked_bias", [], [-10000f]));
        sample.Write(Folder);
        Assert.Equal(sample.Flat, Load(Folder, sample.Layout));
    }

    [Fact]
    public void Padding_is_zero_whatever_was_there_before()
    {
        var sample = Sample();
        sample.Write(Folder);
        float[] flat = new float[sample.Layout.Length];
        flat.AsSpan().Fill(9f);
        HuggingFaceFolder.LoadWeights(Folder, sample.Layout, flat);
        Assert.Equal(sample.Flat, flat);
    }

    [Fact]
    public void A_head_that_is_not_tied_is_refused()
    {
        var sample = Sample();
        float[] values = [.. sample.Tensors[0].Values];
        values[3] += 1;
        sample.Tensors.Add(new NamedTensor("lm_head.weight", [7, 5], values));
        sample.Write(Folder);
        Refused(sample, "lm_head.weight", "wte.weight", "tied");
    }

    [Fact]
    public void A_missing_tensor_is_named_with_its_shape()
    {
        var sample = Sample();
        sample.Tensors.RemoveAll(t => t.Name == "h.1.attn.c_attn.weight");
        sample.Write(Folder);
        Refused(sample, "h.1.attn.c_attn.weight", "[5, 15]");
    }

    [Fact]
    public void An_unknown_tensor_is_named_with_its_shape()
    {
        var sample = Sample();
        sample.Tensors.Add(new NamedTensor("h.2.ln_1.weight", [5], new float[5]));
        sample.Write(Folder);
        Refused(sample, "h.2.ln_1.weight", "[5]", "2 layers");
    }

    [Fact]
    public void A_tensor_of_another_shape_is_named_with_both()
    {
        var sample = Sample();
        sample.Write(Folder, t => t.Name == "h.0.mlp.c_fc.weight" ? t with { Dimensions = [20, 5] } : t);
        Refused(sample, "h.0.mlp.c_fc.weight", "[20, 5]", "[5, 20]");
    }

    [Fact]
    public void A_tensor_under_both_names_is_refused()
    {
        var sample = Sample();
        sample.Tensors.Add(sample.Tensors[1] with { Name = "transformer.wpe.weight" });
        sample.Write(Folder);
        Refused(sample, "wpe.weight", "both");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Weights_that_are_not_finite_are_refused(float value)
    {
        var sample = Sample();
        sample.Tensors[5].Values[2] = value;
        sample.Write(Folder);
        Refused(sample, sample.Tensors[5].Name, "index 2");
    }

    [Fact]
    public void A_folder_without_a_model_is_named()
    {
        Assert.Contains("config.json", Assert.Throws<InputException>(() => HuggingFaceFolder.Read(Folder)).Message);
        Refused(Sample(), "model.safetensors");
    }

    [Theory]
    [InlineData("model_type", "\"llama\"", "gpt2")]
    [InlineData("model_type", null, "gpt2")]
    [InlineData("n_embd", null, "n_embd")]
    [InlineData("n_embd", "\"32\"", "n_embd")]
    [InlineData("n_embd", "0", "n_embd")]
    [InlineData("n_embd", "30", "4 heads do not divide")]
    [InlineData("n_embd", "100000000", "billion")]
    [InlineData("n_layer", "2000000000", "n_layer")]
    [InlineData("vocab_size", "1.5", "vocab_size")]
    [InlineData("activation_function", "\"relu\"", "relu")]
    [InlineData("layer_norm_epsilon", "1e-6", "layer_norm_epsilon")]
    [InlineData("tie_word_embeddings", "false", "tie_word_embeddings")]
    [InlineData("n_inner", "100", "n_inner")]
    [InlineData("scale_attn_weights", "false", "scale_attn_weights")]
    [InlineData("scale_attn_by_inverse_layer_idx", "true", "scale_attn_by_inverse_layer_idx")]
    public void A_configuration_that_cannot_be_computed_is_refused(string field, string? value, string fault)
    {
        WriteConfiguration(field, value);
        var e = Assert.Throws<InputException>(() => HuggingFaceFolder.Read(Folder));
        Assert.Contains("config.json", e.Message);
        Assert.Contains(fault, e.Message);
    }

    [Theory]
    [InlineData("activation_function", "\"gelu_pytorch_tanh\"")]
    [InlineData("activation_function", null)]
    [InlineData("n_inner", "null")]
    [InlineData("n_inner", "128")]
    [InlineData("n_ctx", null)]
    [InlineData("tie_word_embeddings", null)]
    [InlineData("resid_pdrop", "0.1")]
    public void A_configuration_that_says_the_same_otherwise_is_read(string field, string? value)
    {
        WriteConfiguration(field, value);
        Assert.Equal(new GptShape(101, 16, 2, 4, 32), HuggingFaceFolder.Read(Folder));
    }

    private void WriteConfiguration(string field, string? value)
    {
        string reference = Path.Combine(AppContext.BaseDirectory, "Reference", "gpt2-tiny", "config.json");
        var config = JsonNode.Parse(File.ReadAllText(reference))!.AsObject();
        config.Remove(field);
        if (value is not null)
        {
            config[field] = JsonNode.Parse(value);
        }

        File.WriteAllText(_folder.At("config.json"), config.ToJsonString());
    }

    private void Refused(SampleModel sample, params string[] words)
    {
        var e = Assert.Throws<InputException>(() => Load(Folder, sample.Layout));
        Assert.All(words, word => Assert.Contains(word, e.Message));
        Assert.EndsWith(".", e.Message);
    }

    private static float[] Load(string folder, ParameterLayout layout)
    {
        float[] flat = new float[layout.Length];
        HuggingFaceFolder.LoadWeights(folder, layout, flat);
        return flat;
    }

    private static byte[] Data(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        return file[(8 + (int)BitConverter.ToUInt64(file))..];
    }

    private static SampleModel Sample() => new(new GptShape(Vocabulary: 7, Block: 3, Layers: 2, Heads: 1, Width: 5));

    private sealed record NamedTensor(string Name, int[] Dimensions, float[] Values);

    private sealed class SampleModel
    {
        public SampleModel(GptShape shape)
        {
            Layout = new ParameterLayout(shape);
            Flat = new float[Layout.Length];
            var random = new Random(1);
            foreach (var tensor in Layout.Tensors)
            {
                float[] values = [.. Enumerable.Range(0, tensor.Length).Select(_ => random.NextSingle())];
                values.CopyTo(Flat, tensor.Offset);
                Tensors.Add(new NamedTensor(tensor.Name, [.. tensor.Dimensions], values));
            }
        }

        public ParameterLayout Layout { get; }

        public float[] Flat { get; }

        public List<NamedTensor> Tensors { get; } = [];

        public void Write(string folder, Func<NamedTensor, NamedTensor>? change = null) => SafetensorsBytes.Write(
            Path.Combine(folder, "model.safetensors"),
            [.. Tensors.Select(change ?? (t => t)).Select(t => (t.Name, t.Dimensions, t.Values))]);
    }
}
