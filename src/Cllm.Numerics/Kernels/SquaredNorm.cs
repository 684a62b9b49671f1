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
    public static double Sum(ReadOnlySpan<float> x) => Sum(x, default);

    /// <summary>The same of left[i] + right[i], each rounded to single precision: the last addition of the reduction tree, which is written nowhere.</summary>
    /// <param name="left">A block whose bounds do not depend on threads or workers.</param>
    /// <param name="right">As long as left; empty where there is nothing to add.</param>
    public static double Sum(ReadOnlySpan<float> left, ReadOnlySpan<float> right) => right.IsEmpty ? Sum<One>(left, left) : Sum<Two>(left, right);

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static double Sum<TAddends>(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
        where TAddends : ICount
    {
        ref var lefts = ref MemoryMarshal.GetReference(left);
        ref var rights = ref MemoryMarshal.GetReference(right[..left.Length]);
        var (lower, upper) = (Vector512<double>.Zero, Vector512<double>.Zero);
        var i = 0;
        for (; i <= left.Length - Lanes.Count; i += Lanes.Count)
        {
            var x = Vector512.LoadUnsafe(ref lefts, (nuint)i);
            AddSquares(TAddends.Value > 1 ? x + Vector512.LoadUnsafe(ref rights, (nuint)i) : x, ref lower, ref upper);
        }

        if (i < left.Length)
        {
            var rest = left.Length - i;
            var x = Lanes.LoadFirst(ref Unsafe.Add(ref lefts, i), rest);
            AddSquares(TAddends.Value > 1 ? x + Lanes.LoadFirst(ref Unsafe.Add(ref rights, i), rest) : x, ref lower, ref upper);
        }

        return Lanes.Sum(lower, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSquares(Vector512<float> x, ref Vector512<double> lower, ref Vector512<double> upper)
    {
        var (low, high) = Vector512.Widen(x);
        lower = Vector512.FusedMultiplyAdd(low, low, lower);
        upper = Vector512.FusedMultiplyAdd(high, high, upper);
    }
}
