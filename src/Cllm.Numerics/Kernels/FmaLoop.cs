using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>Fused multiply-adds and nothing else, at the vector width that the products use: what one core can do at best.</summary>
public static class FmaLoop
{
    /// <summary>Sums that run side by side: enough to hide an addition's latency, few enough for 16 registers.</summary>
    private const int Sums = 12;

    /// <summary>Bits of the vectors that products use on this machine.</summary>
    public static int VectorBits => 32 * (Vector512.IsHardwareAccelerated ? MatMulLanes512.Lanes
        : Vector256.IsHardwareAccelerated && Fma.IsSupported ? MatMulLanes256.Lanes
        : MatMulLanes128.Lanes);

    /// <summary>Runs the loop.</summary>
    /// <param name="rounds">Rounds of 12 vector operations.</param>
    /// <returns>Floating-point operations done: two per lane of each multiply-add.</returns>
    public static unsafe long Run(long rounds)
    {
        float* memory = stackalloc float[16];
        new Span<float>(memory, 16).Fill(0.5f);
        return Vector512.IsHardwareAccelerated ? On<MatMulLanes512, Vector512<float>>(rounds, memory)
            : Vector256.IsHardwareAccelerated && Fma.IsSupported ? On<MatMulLanes256, Vector256<float>>(rounds, memory)
            : On<MatMulLanes128, Vector128<float>>(rounds, memory);
    }

    /// <remarks>The memory is the caller's: in a method with memory of its own the JIT keeps sums out of registers.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static unsafe long On<TLanes, TVector>(long rounds, float* memory)
        where TLanes : IMatMulLanes<TVector>
        where TVector : struct
    {
        TVector x = TLanes.Load(memory);
        TVector s0 = x, s1 = x, s2 = x, s3 = x, s4 = x, s5 = x, s6 = x, s7 = x, s8 = x, s9 = x, s10 = x, s11 = x;
        for (long i = rounds; i > 0; i--)
        {
            s0 = TLanes.MultiplyAdd(s0, x, x);
            s1 = TLanes.MultiplyAdd(s1, x, x);
            s2 = TLanes.MultiplyAdd(s2, x, x);
            s3 = TLanes.MultiplyAdd(s3, x, x);
            s4 = TLanes.MultiplyAdd(s4, x, x);
            s5 = TLanes.MultiplyAdd(s5, x, x);
            s6 = TLanes.MultiplyAdd(s6, x, x);
            s7 = TLanes.MultiplyAdd(s7, x, x);
            s8 = TLanes.MultiplyAdd(s8, x, x);
            s9 = TLanes.MultiplyAdd(s9, x, x);
            s10 = TLanes.MultiplyAdd(s10, x, x);
            s11 = TLanes.MultiplyAdd(s11, x, x);
        }

        // All sums go into what is stored, so that none is dead code.
        s0 = TLanes.MultiplyAdd(s0, s1, TLanes.MultiplyAdd(s2, s3, TLanes.MultiplyAdd(s4, s5, s6)));
        s7 = TLanes.MultiplyAdd(s7, s8, TLanes.MultiplyAdd(s9, s10, s11));
        TLanes.Store(TLanes.MultiplyAdd(s0, s7, x), memory);
        return rounds * Sums * TLanes.Lanes * 2;
    }
}
