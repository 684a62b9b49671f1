using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Random;

/// <summary>
/// The three functions that Box and Muller's method needs, from 32-bit random words, in double precision with exactly rounded
/// operations only: a mathematical library's last bit differs between platforms, and a run's first weights must not.
/// </summary>
internal static class DoubleMath
{
    // Or-ing an integer below 2^52 into the bits of 2^52 makes the number 2^52 + integer.
    private const double Bias52 = 4503599627370496.0;

    /// <summary>-2 log((word + 1/2) / 2^32), absolute error about 1e-13; the high halves of the lanes are ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> MinusTwoLog(Vector512<ulong> words)
    {
        var u = (ToDouble(words) + Vector512.Create(0.5)) * Vector512.Create(1.0 / 4294967296.0);

        // u = m * 2^exponent with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh((m - 1) / (m + 1)) as a power series.
        const ulong rootHalfBits = 0x3FE6A09E667F3BCD;
        var offset = u.AsUInt64() + Vector512.Create(0x3FF0000000000000 - rootHalfBits);
        var exponent = ToDouble(Vector512.ShiftRightLogical(offset, 52)) - Vector512.Create(1023.0);
        var m = ((offset & Vector512.Create(0x000FFFFFFFFFFFFFul)) + Vector512.Create(rootHalfBits)).AsDouble();
        var s = (m - Vector512<double>.One) / (m + Vector512<double>.One);
        var z = s * s;
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.0 / 17), z, Vector512.Create(1.0 / 15));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.0 / 13));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.0 / 11));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.0 / 9));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.0 / 7));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.0 / 5));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.0 / 3));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512<double>.One);
        const double ln2 = 0.6931471805599453;
        return Vector512.FusedMultiplyAdd(exponent, Vector512.Create(-2 * ln2), p * s * Vector512.Create(-4.0));
    }

    /// <summary>Cosine and sine of 2 pi word / 2^32, absolute error about 1e-13; the high halves of the lanes are ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<double> Cosine, Vector512<double> Sine) CosineSine(Vector512<ulong> words)
    {
        // The nearest multiple of a quarter turn, and what is left of the angle: within an eighth of a turn.
        var quarters = ToDouble(words) * Vector512.Create(1.0 / 1073741824.0);
        var shifted = quarters + Vector512.Create(1.5 * Bias52);
        var quadrant = shifted.AsUInt64();
        var angle = (quarters - (shifted - Vector512.Create(1.5 * Bias52))) * Vector512.Create(Math.PI / 2);
        var z = angle * angle;

        var sine = Vector512.FusedMultiplyAdd(Vector512.Create(1.0 / 6227020800), z, Vector512.Create(-1.0 / 39916800));
        sine = Vector512.FusedMultiplyAdd(sine, z, Vector512.Create(1.0 / 362880));
        sine = Vector512.FusedMultiplyAdd(sine, z, Vector512.Create(-1.0 / 5040));
        sine = Vector512.FusedMultiplyAdd(sine, z, Vector512.Create(1.0 / 120));
        sine = Vector512.FusedMultiplyAdd(sine, z, Vector512.Create(-1.0 / 6));
        sine = Vector512.FusedMultiplyAdd(sine * z, angle, angle);

        var cosine = Vector512.FusedMultiplyAdd(Vector512.Create(-1.0 / 87178291200), z, Vector512.Create(1.0 / 479001600));
        cosine = Vector512.FusedMultiplyAdd(cosine, z, Vector512.Create(-1.0 / 3628800));
        cosine = Vector512.FusedMultiplyAdd(cosine, z, Vector512.Create(1.0 / 40320));
        cosine = Vector512.FusedMultiplyAdd(cosine, z, Vector512.Create(-1.0 / 720));
        cosine = Vector512.FusedMultiplyAdd(cosine, z, Vector512.Create(1.0 / 24));
        cosine = Vector512.FusedMultiplyAdd(cosine, z, Vector512.Create(-1.0 / 2));
        cosine = Vector512.FusedMultiplyAdd(cosine, z, Vector512<double>.One);

        // Odd quadrants exchange the two; the second and third turn the cosine's sign, the third and fourth the sine's.
        var odd = Vector512.Equals(quadrant & Vector512.Create(1ul), Vector512.Create(1ul)).AsDouble();
        var cosineSign = Vector512.ShiftLeft((quadrant + Vector512.Create(1ul)) & Vector512.Create(2ul), 62);
        var sineSign = Vector512.ShiftLeft(quadrant & Vector512.Create(2ul), 62);
        return (
            (Vector512.ConditionalSelect(odd, sine, cosine).AsUInt64() ^ cosineSign).AsDouble(),
            (Vector512.ConditionalSelect(odd, cosine, sine).AsUInt64() ^ sineSign).AsDouble());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> ToDouble(Vector512<ulong> words) =>
        ((words & Vector512.Create(0xFFFFFFFFul)) | Vector512.Create(Bias52).AsUInt64()).AsDouble() - Vector512.Create(Bias52);
}
