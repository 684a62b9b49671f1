using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>A function of one number, applied to 16 lanes.</summary>
internal interface IUnaryOperator
{
    /// <summary>The function of each lane.</summary>
    Vector512<float> Invoke(Vector512<float> x);
}

/// <summary>A function of two numbers, applied to 16 pairs of lanes.</summary>
internal interface IBinaryOperator
{
    /// <summary>The function of each pair of lanes.</summary>
    Vector512<float> Invoke(Vector512<float> x, Vector512<float> y);
}

/// <summary>Applies an operator to whole spans. An element's result does not depend on where in the span it sits.</summary>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
internal static class Elementwise
{
    /// <summary>destination[i] = operator(x[i]); destination may be x.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Map<TOperator>(TOperator function, ReadOnlySpan<float> x, Span<float> destination)
        where TOperator : struct, IUnaryOperator
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        ref var to = ref MemoryMarshal.GetReference(destination[..x.Length]);
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            function.Invoke(Vector512.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        }

        if (i < x.Length)
        {
            var last = function.Invoke(Lanes.LoadFirst(ref Unsafe.Add(ref from, i), x.Length - i));
            Lanes.StoreFirst(last, ref Unsafe.Add(ref to, i), x.Length - i);
        }
    }

    /// <summary>destination[i] = operator(x[i], y[i]); destination may be x or y.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Map<TOperator>(TOperator function, ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> destination)
        where TOperator : struct, IBinaryOperator
    {
        ref var first = ref MemoryMarshal.GetReference(x);
        ref var second = ref MemoryMarshal.GetReference(y[..x.Length]);
        ref var to = ref MemoryMarshal.GetReference(destination[..x.Length]);
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            var result = function.Invoke(Vector512.LoadUnsafe(ref first, (nuint)i), Vector512.LoadUnsafe(ref second, (nuint)i));
            result.StoreUnsafe(ref to, (nuint)i);
        }

        if (i < x.Length)
        {
            var left = x.Length - i;
            var result = function.Invoke(
                Lanes.LoadFirst(ref Unsafe.Add(ref first, i), left), Lanes.LoadFirst(ref Unsafe.Add(ref second, i), left));
            Lanes.StoreFirst(result, ref Unsafe.Add(ref to, i), left);
        }
    }
}

/// <summary>x * factor.</summary>
internal readonly struct ScaleOperator(float factor) : IUnaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Invoke(Vector512<float> x) => x * Vector512.Create(factor);
}

/// <summary>x + y.</summary>
internal readonly struct AddOperator : IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Invoke(Vector512<float> x, Vector512<float> y) => x + y;
}
