using System.Security.Cryptography;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Tests.Files;

public sealed class DigestTests
{
    // Width 5 leaves padding behind nearly every tensor.
    private static readonly ParameterLayout Layout = new(new GptShape(Vocabulary: 7, Block: 3, Layers: 2, Heads: 1, Width: 5));

    [Fact]
    public void It_is_the_hash_of_the_tensors_in_layout_order()
    {
        float[] flat = Numbers(1);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Bytes(flat))), Digest.Weights(Layout, flat));
    }

    [Fact]
    public void The_optimizers_is_of_all_first_then_all_second_moments()
    {
        float[] m = Numbers(1), v = Numbers(2);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData([.. Bytes(m), .. Bytes(v)])), Digest.Optimizer(Layout, m, v));
    }

    [Fact]
    public void Padding_does_not_count_and_every_parameter_does()
    {
        float[] flat = Numbers(1);
        string digest = Digest.Weights(Layout, flat);
        var parameters = Layout.Tensors.SelectMany(t => Enumerable.Range(t.Offset, t.Length)).ToHashSet();
        for (int i = 0; i < flat.Length; i++)
        {
            float old = flat[i];
            flat[i] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(old) ^ 1);
            Assert.Equal(parameters.Contains(i), Digest.Weights(Layout, flat) != digest);
            flat[i] = old;
        }
    }

    [Fact]
    public void It_is_that_of_the_data_in_a_safetensors_file()
    {
        using var folder = new TemporaryFolder();
        float[] flat = Numbers(3);
        SafetensorsBytes.Write(folder.At("x"), [.. Layout.Tensors.Select(
            t => (t.Name, t.Dimensions.ToArray(), flat.AsSpan(t.Offset, t.Length).ToArray()))]);
        byte[] file = File.ReadAllBytes(folder.At("x"));
        int data = 8 + (int)BitConverter.ToUInt64(file);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file.AsSpan(data))), Digest.Weights(Layout, flat));
    }

    private static float[] Numbers(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Layout.Length).Select(_ => random.NextSingle())];
    }

    private static byte[] Bytes(float[] flat) =>
        [.. Layout.Tensors.SelectMany(t => flat.AsSpan(t.Offset, t.Length).ToArray()).SelectMany(BitConverter.GetBytes)];
}
