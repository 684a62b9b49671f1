using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Cllm.Numerics.Kernels;

namespace Cllm.Tests.Numerics;

public sealed class AttentionTests : IDisposable
{
    private const string RecordedDigest = "4e65991b122b042e22eee543f77e8a457dcaddfd4e56c2c11ee772195c637cbf";

    private readonly AttentionScratch _scratch = new(128, 128);

    /// <summary>
    /// Tokens on both sides of the block of 48 queries, heads narrower and wider than a vector and a strip, with and without
    /// dropout.
    /// </summary>
    public static TheoryData<int, int, int, float> Heads
    {
        get
        {
            var heads = new TheoryData<int, int, int, float>();
            foreach ((int t, int d, int c) in new[]
            {
                (13, 8, 24), (64, 32, 128), (100, 64, 128), (1, 8, 8), (48, 16, 32), (49, 12, 36), (128, 5, 10), (97, 100, 300),
            })
            {
                heads.Add(t, d, c, 0f);
                heads.Add(t, d, c, 0.2f);
            }

            return heads;
        }
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Heads))]
    public void Output_and_gradients_are_near_the_twin_in_double(int tokens, int headSize, int width, float rate)
    {
        var head = new AttentionHead(tokens, headSize, width, rate);
        head.Run(_scratch);
        Assert.InRange(LargestError(head.TwinOutput(AttentionHead.ToDouble(head.Qkv)), head.Output), 0, 2e-6);
        Assert.InRange(LargestError(head.TwinGradient(), head.DQkv), 0, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void Gradients_are_the_slopes_of_the_output(int tokens, int headSize, int width, float rate)
    {
        var head = new AttentionHead(tokens, headSize, width, rate);
        head.Run(_scratch);
        double[] twin = head.TwinGradient();
        for (int element = 0; element < head.Qkv.Length; element += (head.Qkv.Length / 60) + 1)
        {
            double slope = head.FiniteDifference(element);
            Assert.InRange(twin[element] - slope, -1e-8, 1e-8);
            Assert.InRange(head.DQkv[element] - slope, -1e-5, 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void Every_vector_width_gives_the_same_bits(int tokens, int headSize, int width, float rate)
    {
        var expected = new AttentionHead(tokens, headSize, width, rate);
        expected.Run(_scratch);
        var head = new AttentionHead(tokens, headSize, width, rate);
        head.RunOn<MatMulLanes512, Vector512<float>>(_scratch);
        AssertSameBits(expected, head);
        head.RunOn<MatMulLanes256, Vector256<float>>(_scratch);
        AssertSameBits(expected, head);
        head.RunOn<MatMulLanes128, Vector128<float>>(_scratch);
        AssertSameBits(expected, head);
    }

    /// <summary>Recorded once; run this under each DOTNET_Enable* switch to see that no instruction set changes a bit.</summary>
    [Fact]
    public void The_bits_are_the_recorded_ones_on_every_machine()
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (object[] row in Heads)
        {
            var head = new AttentionHead((int)row[0], (int)row[1], (int)row[2], (float)row[3]);
            head.Run(_scratch);
            digest.AppendData(MemoryMarshal.AsBytes<float>(head.Output));
            digest.AppendData(MemoryMarshal.AsBytes<float>(head.LogSumExp));
            digest.AppendData(MemoryMarshal.AsBytes<float>(head.DQkv));
        }

        string actual = Convert.ToHexStringLower(digest.GetHashAndReset());
        Assert.True(actual == RecordedDigest, $"The digest is {actual}.");
    }

    [Fact]
    public void A_shorter_row_gives_the_first_outputs_of_a_longer_one()
    {
        var longer = new AttentionHead(100, 32, 96, 0.1f);
        longer.Run(_scratch);
        for (int tokens = 1; tokens < 100; tokens += 7)
        {
            var output = new float[tokens * 96];
            Attention.Forward(
                tokens, 32, 96, longer.Qkv.AsSpan(32, tokens * 288 - 32), output.AsSpan(32), new float[tokens], longer.Dropout, _scratch);
            Assert.Equal(longer.Output[..output.Length], output);
        }
    }

    [Fact]
    public void Other_heads_are_left_as_they_are()
    {
        var head = new AttentionHead(20, 8, 24, 0);
        head.Output.AsSpan().Fill(3);
        head.DQkv.AsSpan().Fill(3);
        head.Run(_scratch);
        for (int i = 0; i < head.DQkv.Length; i++)
        {
            bool own = i % 24 is >= 8 and < 16;
            Assert.Equal(own, head.DQkv[i] != 3);
        }

        Assert.All(Enumerable.Range(0, head.Output.Length), i => Assert.Equal(i % 24 is >= 8 and < 16, head.Output[i] != 3));
    }

    [Fact]
    public void Attention_allocates_nothing_on_the_managed_heap()
    {
        AttentionHead[] heads = [new(100, 64, 128, 0), new(70, 12, 24, 0.3f)];
        RunAll(heads);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RunAll(heads);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_head_that_does_not_fit_is_refused()
    {
        using var small = new AttentionScratch(16, 8);
        Assert.Throws<InvalidOperationException>(() => new AttentionHead(17, 8, 8, 0).Run(small));
        Assert.Throws<InvalidOperationException>(() => new AttentionHead(16, 9, 9, 0).Run(small));
        Assert.Throws<InvalidOperationException>(() =>
            Attention.Forward(4, 8, 16, new float[100], new float[64], new float[4], AttentionDropout.None, small));
    }

    private void RunAll(AttentionHead[] heads)
    {
        foreach (AttentionHead head in heads)
        {
            head.Run(_scratch);
        }
    }

    private static void AssertSameBits(AttentionHead expected, AttentionHead actual)
    {
        Assert.Equal(Bits(expected.Output), Bits(actual.Output));
        Assert.Equal(Bits(expected.LogSumExp), Bits(actual.LogSumExp));
        Assert.Equal(Bits(expected.DQkv), Bits(actual.DQkv));
    }

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);

    private static double LargestError(double[] expected, float[] actual) => expected.Zip(actual, (x, y) => Math.Abs(x - y)).Max();
}
