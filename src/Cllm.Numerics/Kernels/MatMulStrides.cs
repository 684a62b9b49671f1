namespace Cllm.Numerics.Kernels;

/// <summary>How a tile finds its operands: distances in floats, the same for all tiles of a strip.</summary>
/// <param name="K">Number of terms of this block of k.</param>
/// <param name="ARow">From an element of A to the one a row below.</param>
/// <param name="AStep">From an element of A to the one at the next k.</param>
/// <param name="ATile">From a tile's first element of A to that of the tile six rows below.</param>
/// <param name="BStep">From a row of B to the one at the next k.</param>
/// <param name="StartRow">From a row of starting values to the next; 0 where all rows start alike.</param>
/// <param name="CRow">From a row of C to the next.</param>
internal readonly record struct MatMulStrides(nint K, nint ARow, nint AStep, nint ATile, nint BStep, nint StartRow, nint CRow)
{
    /// <summary>Whether C is stored past the caches: it is large, and nobody reads it soon. Its rows then begin on cache lines.</summary>
    public bool Streams { get; init; }

    /// <summary>How a tile that is asked to fetch nothing else fetches the lines where it will store, which a large C does not have in the caches.</summary>
    public MatMulAhead Output { get; init; }
}
