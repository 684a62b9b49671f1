using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>
/// One vector width, as the register tile of a product sees it. All members are constants or single instructions to the JIT.
/// </summary>
/// <typeparam name="TVector">The vector of this width.</typeparam>
internal unsafe interface IMatMulLanes<TVector>
    where TVector : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>Vectors side by side in a register tile of six rows: as many as the registers hold without spilling.</summary>
    static abstract int TileVectors { get; }

    static abstract TVector Load(float* source);

    static abstract TVector Broadcast(float* source);

    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    static abstract void Store(TVector value, float* destination);

    /// <summary>Stores past the caches; the destination is aligned to the vector.</summary>
    static abstract void StorePast(TVector value, float* destination);
}

/// <summary>512 bits: a tile of 6 x 64 takes 24 of the 32 registers for sums, 4 for B, 1 for A.</summary>
internal readonly unsafe struct MatMulLanes512 : IMatMulLanes<Vector512<float>>
{
    public static int Lanes => 16;

    public static int TileVectors => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float* source) => Vector512.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => Vector512.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePast(Vector512<float> value, float* destination) => Vector512.StoreAlignedNonTemporal(value, destination);
}

/// <summary>256 bits: a tile of 6 x 16 in the 16 registers of AVX2, of 6 x 32 where AVX-512VL gives 32.</summary>
internal readonly unsafe struct MatMulLanes256 : IMatMulLanes<Vector256<float>>
{
    public static int Lanes => 8;

    public static int TileVectors => Avx512F.VL.IsSupported ? 4 : 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float* source) => Vector256.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination) => Vector256.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePast(Vector256<float> value, float* destination) => Vector256.StoreAlignedNonTemporal(value, destination);
}

/// <summary>
/// 128 bits: a tile of 6 x 16 in the 32 registers of Arm64; elsewhere the portable path, exact but slow where FMA is emulated.
/// </summary>
internal readonly unsafe struct MatMulLanes128 : IMatMulLanes<Vector128<float>>
{
    public static int Lanes => 4;

    public static int TileVectors => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float* source) => Vector128.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* destination) => Vector128.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePast(Vector128<float> value, float* destination) => Vector128.StoreAlignedNonTemporal(value, destination);
}
