using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Random;

/// <summary>
/// Philox4x32 with 10 rounds: a keyed bijection of 128-bit counters whose outputs pass the statistical test batteries. Random numbers
/// become a pure function of (key, counter): nothing to save, any order, any thread.
/// </summary>
/// <remarks>Salmon, Moraes, Dror and Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.</remarks>
public static class Philox4x32
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    /// <summary>The four random words of one counter.</summary>
    /// <param name="counter">Counter words 0 to 3.</param>
    /// <param name="key">Key word 0 in the low half, key word 1 in the high half.</param>
    public static Vector128<uint> Block(Vector128<uint> counter, ulong key)
    {
        var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3]);
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1);
            (c2, c3) = ((uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return Vector128.Create(c0, c1, c2, c3);
    }

    /// <summary>Eight counters at once. Each lane holds one 32-bit word in its low half; the high half of a result is arbitrary.</summary>
    /// <remarks>64-bit lanes, because the hardware multiplies their low halves to full products and ignores the high halves.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Blocks(
        ref Vector512<ulong> c0, ref Vector512<ulong> c1, ref Vector512<ulong> c2, ref Vector512<ulong> c3, ulong key)
    {
        // The key grows in 64-bit lanes: what carries over into the high halves is ignored like everything there.
        var key0 = Vector512.Create((ulong)(uint)key);
        var key1 = Vector512.Create(key >> 32);
        for (var round = 0; round < Rounds; round += 2)
        {
            Round(ref c0, ref c1, ref c2, ref c3, ref key0, ref key1);
            Round(ref c0, ref c1, ref c2, ref c3, ref key0, ref key1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        ref Vector512<ulong> c0, ref Vector512<ulong> c1, ref Vector512<ulong> c2, ref Vector512<ulong> c3,
        ref Vector512<ulong> key0, ref Vector512<ulong> key1)
    {
        var product0 = MultiplyLowHalves(c0, Vector512.Create((ulong)Multiplier0));
        var product1 = MultiplyLowHalves(c2, Vector512.Create((ulong)Multiplier1));
        c0 = Vector512.ShiftRightLogical(product1, 32) ^ c1 ^ key0;
        c1 = product1;
        c2 = Vector512.ShiftRightLogical(product0, 32) ^ c3 ^ key1;
        c3 = product0;
        key0 += Vector512.Create((ulong)Weyl0);
        key1 += Vector512.Create((ulong)Weyl1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> MultiplyLowHalves(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported)
        {
            return Avx512F.Multiply(a.AsUInt32(), b.AsUInt32());
        }

        if (Avx2.IsSupported)
        {
            return Vector512.Create(
                Avx2.Multiply(a.GetLower().AsUInt32(), b.GetLower().AsUInt32()),
                Avx2.Multiply(a.GetUpper().AsUInt32(), b.GetUpper().AsUInt32()));
        }

        var lowHalf = Vector512.Create(0xFFFFFFFFul);
        return (a & lowHalf) * (b & lowHalf);
    }
}
