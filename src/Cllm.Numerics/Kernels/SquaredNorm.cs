using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>The squared Euclidean norm of one fixed block of the gradient.</summary>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class SquaredNorm
{
    /// <summary>Sum of x[i]^2 in double precision (the squares are exact in it), over 16 lanes and one fold.</summary>
    /// <param name="x">A block whose bounds do not depend on threads or workers.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static double Sum(ReadOnlySpan<float> x)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        var (lower, upper) = (Vector512<double>.Zero, Vector512<double>.Zero);
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var left = x.Length - i;
            var lanes = left >= Lanes.Count
                ? Vector512.LoadUnsafe(ref from, (nuint)i)
                : Lanes.LoadFirst(ref Unsafe.Add(ref from, i), left);
            var (low, high) = Vector512.Widen(lanes);
            lower = Vector512.FusedMultiplyAdd(low, low, lower);
            upper = Vector512.FusedMultiplyAdd(high, high, upper);
        }

        return Lanes.Sum(lower, upper);
    }
}
