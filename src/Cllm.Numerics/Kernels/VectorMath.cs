using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>
/// exp and log on 16 lanes, written once in exactly rounded operations (multiply, add, fused multiply-add), so every
/// machine and every vector width gives the same bits; library functions do not promise that.
/// </summary>
/// <remarks>Polynomials: Cephes (Moshier, <c>expf.c</c> and <c>logf.c</c>), range reduction after Cody and Waite.</remarks>
internal static class VectorMath
{
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves that integer in the low bits of the sum.
    private const float RoundingMagic = 12582912f;
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // exp of this is just above the smallest normal number; everything below becomes 0, so no slow subnormals arise.
    private const float ExpLowest = -87.33654f;
    private const float ExpHighest = 88.72283f;

    /// <summary>e to the x, relative error about 1e-7; below -87.33 exactly 0, above 88.72 infinity, NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(Log2E), Vector512.Create(RoundingMagic));
        var n = shifted - Vector512.Create(RoundingMagic);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r);

        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.9875691500e-4f), r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One;

        // Within the range kept below the exponent neither overflows nor reaches the subnormals, so adding to it is exact scaling.
        var scaled = (p.AsInt32() + Vector512.ShiftLeft(shifted.AsInt32(), 23)).AsSingle();
        var aboveOrNaN = x * Vector512.Create(float.PositiveInfinity);
        scaled = Vector512.ConditionalSelect(Vector512.LessThanOrEqual(x, Vector512.Create(ExpHighest)), scaled, aboveOrNaN);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(ExpLowest)), Vector512<float>.Zero, scaled);
    }

    /// <summary>
    /// Natural logarithm, relative error about 1e-7; of 0 minus infinity, of infinity infinity, of negative numbers and NaN NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        // Subnormal numbers are lifted by 2^23 first, so that their exponent can be read from their bits.
        var subnormal = Vector512.LessThan(x, Vector512.Create(1.17549435e-38f));
        var lifted = Vector512.ConditionalSelect(subnormal, x * Vector512.Create(8388608f), x);
        var lift = Vector512.ConditionalSelect(subnormal, Vector512.Create(23f), Vector512<float>.Zero);

        // m in [sqrt(1/2), sqrt(2)): the exponent is counted from the bits of sqrt(1/2).
        var offset = lifted.AsInt32() - Vector512.Create(0x3f3504f3);
        var exponent = Vector512.ConvertToSingle(Vector512.ShiftRightArithmetic(offset, 23)) - lift;
        var m = ((offset & Vector512.Create(0x007fffff)) + Vector512.Create(0x3f3504f3)).AsSingle();
        var f = m - Vector512<float>.One;

        var p = Vector512.FusedMultiplyAdd(Vector512.Create(7.0376836292e-2f), f, Vector512.Create(-1.1514610310e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.1676998740e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(-1.2420140846e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.4249322787e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(-1.6668057665e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.0000714765e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(-2.4999993993e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(3.3333331174e-1f));

        var square = f * f;
        var small = Vector512.FusedMultiplyAdd(exponent, Vector512.Create(Ln2Low), p * f * square);
        small = Vector512.FusedMultiplyAdd(square, Vector512.Create(-0.5f), small);
        var result = Vector512.FusedMultiplyAdd(exponent, Vector512.Create(Ln2High), f + small);

        var infinity = Vector512.Create(float.PositiveInfinity);
        var undefined = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), Vector512.Create(float.NaN), x);
        result = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<float>.Zero), -infinity, result);
        var ordinary = Vector512.GreaterThanOrEqual(x, Vector512<float>.Zero) & Vector512.LessThan(x, infinity);
        return Vector512.ConditionalSelect(ordinary, result, undefined);
    }

    /// <summary>Natural logarithm of one number, the same bits as a lane of the vector form.</summary>
    public static float Log(float x) => Log(Vector512.Create(x)).ToScalar();

    /// <summary>The larger of each pair of lanes; where one is NaN, the second.</summary>
    /// <remarks>A comparison and a choice, because the platforms' own maximum instructions differ on NaN and on signed zero.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(a, b), a, b);
}
