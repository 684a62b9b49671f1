using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Cllm.Numerics.Memory;

namespace Cllm.Numerics.Kernels;

/// <summary>The triad of McCalpin's STREAM benchmark (1995), with stores that pass by the caches: what memory can do at best.</summary>
public static class StreamLoop
{
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
