using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>
/// The one way in which rows are cut into 16 lanes and lanes folded to a number. Lane i takes elements i, i + 16, ...; the end of a
/// row that fills no vector is padded with a neutral value; the fold halves: i with i + 8, then 4, 2, 1. Vector width never enters.
/// </summary>
internal static class Lanes
{
    /// <summary>Floats per step of every kernel, at every vector width of the machine.</summary>
    public const int Count = 16;

    /// <summary>Sum of the lanes in the one fold order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> lanes)
    {
        var eight = lanes.GetLower() + lanes.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>Sum of 16 lanes in double precision, in the same fold order: the lower eight lanes with the upper eight first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> lower, Vector512<double> upper)
    {
        var eight = lower + upper;
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The largest lane; NaN lanes may or may not be seen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> lanes)
    {
        var eight = Larger(lanes.GetLower(), lanes.GetUpper());
        var four = Larger(eight.GetLower(), eight.GetUpper());
        four = Larger(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return four[0] > four[1] ? four[0] : four[1];
    }

    /// <summary>The first <paramref name="count"/> (fewer than 16) floats from the source, the rest <paramref name="padding"/>.</summary>
    /// <remarks>Inlined with its loop: across a call every vector of the caller would live in memory, accumulators included.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadFirst(ref float source, int count, float padding = 0)
    {
        if (Avx512F.IsSupported)
        {
            // Masked lanes are not touched in memory, so nothing behind the source needs to be readable.
            fixed (float* start = &source)
            {
                return Avx512F.MaskLoad(start, First(count), Vector512.Create(padding));
            }
        }

        var lanes = Vector512.Create(padding);
        ref var first = ref Unsafe.As<Vector512<float>, float>(ref lanes);
        for (var i = 0; i < count; i++)
        {
            Unsafe.Add(ref first, i) = Unsafe.Add(ref source, i);
        }

        return lanes;
    }

    /// <summary>Writes the first <paramref name="count"/> (fewer than 16) lanes and nothing behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreFirst(Vector512<float> value, ref float destination, int count)
    {
        if (Avx512F.IsSupported)
        {
            fixed (float* start = &destination)
            {
                Avx512F.MaskStore(start, First(count), value);
            }

            return;
        }

        var lanes = value;
        ref var first = ref Unsafe.As<Vector512<float>, float>(ref lanes);
        for (var i = 0; i < count; i++)
        {
            Unsafe.Add(ref destination, i) = Unsafe.Add(ref first, i);
        }
    }

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    /// <summary>The larger of each pair by a comparison and a choice, because the platforms' own maxima differ on NaN and signed zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Larger(Vector256<float> a, Vector256<float> b) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Larger(Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(a, b), a, b);
}
