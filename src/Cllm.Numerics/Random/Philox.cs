using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Random;

/// <summary>Uniform and normal numbers as pure functions of (seed, stream, index), the same bits on every platform.</summary>
/// <remarks>Philox key: the seed. Counter words: 0 and 1 the index of the block, 2 the stream, 3 the kind of number.</remarks>
public static class Philox
{
    private const uint UniformKind = 0;
    private const uint NormalKind = 1;
    private const int NormalsPerRound = 32;

    /// <summary>Number <paramref name="index"/> of a stream, uniform in [0, 1) with 53 random bits.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Which sequence of the seed.</param>
    /// <param name="index">Which number of the sequence.</param>
    public static double Uniform(ulong seed, uint stream, ulong index)
    {
        var block = Philox4x32.Block(Vector128.Create((uint)index, (uint)(index >> 32), stream, UniformKind), seed);
        return ((block[0] | (ulong)block[1] << 32) >> 11) * (1.0 / (1ul << 53));
    }

    /// <summary>Fills a span with normal numbers of mean 0 by the method of Box and Muller (1958).</summary>
    /// <param name="destination">Element i depends on the seed, the stream and i only.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Which sequence of the seed.</param>
    /// <param name="standardDeviation">The standard deviation.</param>
    /// <remarks>
    /// Eight counters give 32 numbers: words 0 and 1 numbers 0 to 7 (cosine) and 8 to 15 (sine), words 2 and 3 the other 16. A radius
    /// has 32 random bits, so no number is further than 6.8 standard deviations from 0.
    /// </remarks>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Normal(Span<float> destination, ulong seed, uint stream, float standardDeviation)
    {
        Span<float> last = stackalloc float[NormalsPerRound];
        var counter = Vector512.Create(0ul, 1, 2, 3, 4, 5, 6, 7);
        for (var i = 0; i < destination.Length; i += NormalsPerRound)
        {
            var (c0, c1, c2, c3) = (counter, Vector512<ulong>.Zero, Vector512.Create((ulong)stream), Vector512.Create((ulong)NormalKind));
            Philox4x32.Blocks(ref c0, ref c1, ref c2, ref c3, seed);
            var left = destination.Length - i;
            ref var to = ref left >= NormalsPerRound ? ref destination[i] : ref MemoryMarshal.GetReference(last);
            PairsOfNormals(c0, c1, standardDeviation).StoreUnsafe(ref to);
            PairsOfNormals(c2, c3, standardDeviation).StoreUnsafe(ref to, NormalsPerRound / 2);
            if (left < NormalsPerRound)
            {
                last[..left].CopyTo(destination[i..]);
            }

            counter += Vector512.Create(8ul);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PairsOfNormals(Vector512<ulong> radiusWords, Vector512<ulong> angleWords, float standardDeviation)
    {
        var radius = Vector512.Sqrt(DoubleMath.MinusTwoLog(radiusWords)) * Vector512.Create((double)standardDeviation);
        var (cosine, sine) = DoubleMath.CosineSine(angleWords);
        return Vector512.Narrow(radius * cosine, radius * sine);
    }
}
