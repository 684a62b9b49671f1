using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>Softmax of a row: three passes (largest, exponentials and their sum, scaling), safe for numbers of any size.</summary>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class Softmax
{
    /// <summary>y[i] = exp(x[i]) / sum of exp(x[j]).</summary>
    /// <param name="x">One row. Minus infinity gives probability 0; NaN, plus infinity or a row of only minus infinities give NaN.</param>
    /// <param name="y">At least as long as x; may be x.</param>
    public static void Forward(ReadOnlySpan<float> x, Span<float> y)
    {
        var sum = Exponentials(x, Largest(x), y);
        Elementwise.Map(new ScaleOperator(1f / sum), y[..x.Length], y);
    }

    /// <summary>The largest number of the row (NaN aside); minus infinity for an empty one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static float Largest(ReadOnlySpan<float> x)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        var largest = Vector512.Create(float.NegativeInfinity);
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            largest = VectorMath.Max(Vector512.LoadUnsafe(ref from, (nuint)i), largest);
        }

        if (i < x.Length)
        {
            var last = Lanes.LoadFirst(ref Unsafe.Add(ref from, i), x.Length - i, float.NegativeInfinity);
            largest = VectorMath.Max(last, largest);
        }

        return Lanes.Max(largest);
    }

    /// <summary>y[i] = exp(x[i] - largest).</summary>
    /// <returns>The sum of y, over 16 lanes and one fold.</returns>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static float Exponentials(ReadOnlySpan<float> x, float largest, Span<float> y)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        ref var to = ref MemoryMarshal.GetReference(y[..x.Length]);
        var shift = Vector512.Create(largest);
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            var e = VectorMath.Exp(Vector512.LoadUnsafe(ref from, (nuint)i) - shift);
            e.StoreUnsafe(ref to, (nuint)i);
            sum += e;
        }

        if (i < x.Length)
        {
            var last = Lanes.LoadFirst(ref Unsafe.Add(ref from, i), x.Length - i, float.NegativeInfinity);
            var e = VectorMath.Exp(last - shift);
            Lanes.StoreFirst(e, ref Unsafe.Add(ref to, i), x.Length - i);
            sum += e;
        }

        return Lanes.Sum(sum);
    }

    /// <summary>The sum of exp(x[i] - largest), the same bits as <see cref="Exponentials"/> returns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static float SumOfExponentials(ReadOnlySpan<float> x, float largest)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        var shift = Vector512.Create(largest);
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            sum += VectorMath.Exp(Vector512.LoadUnsafe(ref from, (nuint)i) - shift);
        }

        if (i < x.Length)
        {
            var last = Lanes.LoadFirst(ref Unsafe.Add(ref from, i), x.Length - i, float.NegativeInfinity);
            sum += VectorMath.Exp(last - shift);
        }

        return Lanes.Sum(sum);
    }
}
