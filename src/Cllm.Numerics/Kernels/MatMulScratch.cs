using System.Runtime.CompilerServices;
using Cllm.Numerics.Memory;

namespace Cllm.Numerics.Kernels;

/// <summary>The packing memory of one thread's products: about 2 MB, allocated once, alive until disposed.</summary>
/// <remarks>Not for two threads at a time: every product overwrites it.</remarks>
public sealed unsafe class MatMulScratch : IDisposable
{
    private readonly AlignedBuffer _memory = new(BFloats + AFloats + (2 * TileFloats));

    /// <summary>
    /// Most terms of k that one block takes: its strip of B stays in the second-level cache, its tile of A in the first.
    /// </summary>
    internal const int KBlockMax = 768;

    /// <summary>Columns of B packed at a time; a multiple of every strip's width.</summary>
    internal const int NBlock = 384;

    /// <summary>Rows of a transposed A packed at a time; a multiple of a tile's rows.</summary>
    internal const int MBlock = 192;

    /// <summary>
    /// Floats left free after each panel of a packed A: room for the last store's overhang, and panels a cache line out of step.
    /// </summary>
    internal const int PanelGap = 16;

    /// <summary>Rows of a full register tile.</summary>
    internal const int TileRows = 6;

    private const int BFloats = KBlockMax * NBlock;
    internal const int AFloats = MBlock / TileRows * ((KBlockMax * TileRows) + PanelGap);

    /// <summary>The largest register tile: 6 rows of 64.</summary>
    private const int TileFloats = TileRows * 64;

    /// <summary>Packed columns of B.</summary>
    internal float* B => Start;

    /// <summary>Packed rows of a transposed A.</summary>
    internal float* A => Start + BFloats;

    /// <summary>A tile at the right edge: computed here in whole vectors, copied to its place in part.</summary>
    internal float* EdgeTile => Start + BFloats + AFloats;

    /// <summary>A row of zeros as wide as a tile.</summary>
    internal float* Zeros => Start + BFloats + AFloats + TileFloats;

    private float* Start => (float*)Unsafe.AsPointer(ref _memory.Span[0]);

    /// <summary>Bytes held.</summary>
    public long Bytes => _memory.Length * (long)sizeof(float);

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _memory.Dispose();
}
