using System.Runtime.Intrinsics;
using Cllm.Numerics.Random;
using Cllm.Numerics.Reference;

namespace Cllm.Tests.Numerics;

public sealed class PhiloxTests
{
    /// <summary>Counter words, key words, result words: philox4x32-10 in kat_vectors of Random123.</summary>
    public static TheoryData<uint[], uint[], uint[]> KnownAnswers => new()
    {
        { [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
        {
            [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff],
            [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
        },
        {
            [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0],
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        },
    };

    [Theory]
    [MemberData(nameof(KnownAnswers))]
    public void A_block_is_the_published_answer(uint[] counter, uint[] key, uint[] answer)
    {
        var block = Philox4x32.Block(Vector128.Create(counter), key[0] | (ulong)key[1] << 32);
        Assert.Equal(Vector128.Create(answer), block);
    }

    [Fact]
    public void Eight_counters_at_once_are_eight_single_blocks()
    {
        const ulong key = 0x0123456789ABCDEF;
        var c0 = Vector512.Create(0ul, 1, 2, 0xffffffff, 4, 5, 6, 0x80000000);
        var (c1, c2, c3) = (Vector512.Create(0xdeadbeeful), Vector512.Create(7ul), Vector512.Create(0xfffffffful));
        var counters = c0;
        Philox4x32.Blocks(ref c0, ref c1, ref c2, ref c3, key);
        for (var lane = 0; lane < 8; lane++)
        {
            var expected = Philox4x32.Block(Vector128.Create((uint)counters[lane], 0xdeadbeef, 7, 0xffffffff), key);
            Assert.Equal(expected, Vector128.Create((uint)c0[lane], (uint)c1[lane], (uint)c2[lane], (uint)c3[lane]));
        }
    }

    [Fact]
    public void Normals_equal_their_twin()
    {
        foreach (var count in new[] { 1, 15, 16, 17, 31, 32, 33, 100_000 })
        {
            var numbers = new float[count];
            Philox.Normal(numbers, 0xFEDCBA9876543210, 9, 0.02f);
            var exact = new double[count];
            for (var i = 0; i < count; i++)
            {
                exact[i] = ReferenceNormal.At(i, 0xFEDCBA9876543210, 9, 0.02f);
            }

            Numbers.Close(exact, numbers, 6e-8, scale: 1e-5);
        }
    }

    [Fact]
    public void Logarithm_cosine_and_sine_are_exact_to_one_part_in_a_trillion()
    {
        for (ulong word = 0; word <= uint.MaxValue; word += 1_048_573 / 2)
        {
            foreach (var w in new[] { word, (uint)~word, uint.RotateLeft((uint)word, 13) })
            {
                var turn = 2 * Math.PI * (w / 4294967296.0);
                var (cosine, sine) = DoubleMath.CosineSine(Vector512.Create(w));
                Assert.Equal(Math.Cos(turn), cosine[0], 1e-12);
                Assert.Equal(Math.Sin(turn), sine[0], 1e-12);
                Assert.Equal(-2 * Math.Log((w + 0.5) / 4294967296.0), DoubleMath.MinusTwoLog(Vector512.Create(w))[0], 1e-12);
            }
        }
    }

    [Fact]
    public void Normals_have_the_moments_of_a_normal_distribution()
    {
        const int count = 1_000_000;
        var numbers = new float[count];
        Philox.Normal(numbers, 1, 2, 1);
        Assert.Equal(0, numbers.Average(x => (double)x), 5e-3);
        Assert.Equal(1, numbers.Average(x => (double)x * x), 7e-3);
        Assert.Equal(0, numbers.Average(x => Math.Pow(x, 3)), 2e-2);
        Assert.Equal(3, numbers.Average(x => Math.Pow(x, 4)), 5e-2);
        Assert.Equal(0.6826895, numbers.Count(x => Math.Abs(x) < 1) / (double)count, 2.4e-3);
        Assert.Equal(0, numbers.Zip(numbers.Skip(8), (a, b) => (double)a * b).Average(), 5e-3);
        Assert.InRange(numbers.Max(), 4f, 6.8f);
    }

    [Fact]
    public void Streams_and_seeds_give_different_numbers_and_prefixes_the_same()
    {
        var (numbers, prefix, otherStream, otherSeed) = (new float[100], new float[50], new float[100], new float[100]);
        Philox.Normal(numbers, 1, 2, 1);
        Philox.Normal(prefix, 1, 2, 1);
        Philox.Normal(otherStream, 1, 3, 1);
        Philox.Normal(otherSeed, 2, 2, 1);
        Assert.Equal(numbers[..50], prefix);
        Assert.Empty(numbers.Intersect(otherStream));
        Assert.Empty(numbers.Intersect(otherSeed));
    }

    [Fact]
    public void Uniforms_fill_the_unit_interval_evenly()
    {
        var buckets = new int[64];
        for (ulong i = 0; i < 640_000; i++)
        {
            var u = Philox.Uniform(5, 6, i << 20);
            Assert.InRange(u, 0, 1 - 1e-16);
            buckets[(int)(u * 64)]++;
        }

        // Chi-squared with 63 degrees of freedom exceeds 120 with probability 2e-5.
        Assert.InRange(buckets.Sum(n => (n - 10_000.0) * (n - 10_000.0) / 10_000.0), 20, 120);
    }
}
