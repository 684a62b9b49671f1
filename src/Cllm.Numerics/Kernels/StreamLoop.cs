using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Cllm.Numerics.Memory;

namespace Cllm.Numerics.Kernels;

/// <summary>What memory can do at best: reading alone, and the triad of McCalpin's STREAM benchmark (1995) with stores that pass by the caches.</summary>
public static class StreamLoop
{
    /// <summary>Sum of all numbers over four vectors, so that no addition waits for another; 4 bytes moved per number.</summary>
    /// <param name="x">Numbers; a multiple of 64 of them is read.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static float Read(ReadOnlySpan<float> x)
    {
        ref float from = ref MemoryMarshal.GetReference(x);
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int i = 0; i <= x.Length - (4 * Lanes.Count); i += 4 * Lanes.Count)
        {
            s0 += Vector512.LoadUnsafe(ref from, (nuint)i);
            s1 += Vector512.LoadUnsafe(ref from, (nuint)(i + Lanes.Count));
            s2 += Vector512.LoadUnsafe(ref from, (nuint)(i + (2 * Lanes.Count)));
            s3 += Vector512.LoadUnsafe(ref from, (nuint)(i + (3 * Lanes.Count)));
        }

        return Vector512.Sum(s0 + s1 + (s2 + s3));
    }

    /// <summary>sum[i] = x[i] + factor * y[i]; 12 bytes moved per number.</summary>
    /// <param name="x">Numbers; a multiple of 16 of them.</param>
    /// <param name="y">As long as x.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="sum">As long as x, its start aligned like a <see cref="AlignedBuffer"/>.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Triad(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float factor, Span<float> sum)
    {
        ref float first = ref MemoryMarshal.GetReference(x);
        ref float second = ref MemoryMarshal.GetReference(y[..x.Length]);
        Vector512<float> factors = Vector512.Create(factor);
        fixed (float* to = sum[..x.Length])
        {
            for (int i = 0; i <= x.Length - Lanes.Count; i += Lanes.Count)
            {
                Vector512.FusedMultiplyAdd(factors, Vector512.LoadUnsafe(ref second, (nuint)i), Vector512.LoadUnsafe(ref first, (nuint)i))
                    .StoreAlignedNonTemporal(to + i);
            }
        }
    }
}
