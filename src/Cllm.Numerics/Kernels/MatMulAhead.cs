namespace Cllm.Numerics.Kernels;

/// <summary>
/// What the tiles of a strip fetch into the caches while they compute: one cache line for each k, few enough to hide behind the arithmetic.
/// Where the hardware's prefetching does not follow, at the starts of short rows that lie far apart, products would wait for memory.
/// </summary>
/// <param name="First">Address of the first tile's first line.</param>
/// <param name="Step">Bytes from a line to the one fetched at the next k; 0 where nothing is fetched.</param>
/// <param name="Tile">Bytes from a tile's first line to the next tile's.</param>
/// <param name="Tiles">How many tiles fetch.</param>
internal readonly unsafe record struct MatMulAhead(nint First, nint Step, nint Tile, int Tiles)
{
    private const int LineBytes = 64;
    private const int TileRows = 6;

    /// <summary>After so many k the fetched row of an operand ends; 0 where it never does.</summary>
    public nint Run { get; private init; }

    /// <summary>Bytes from where a fetched row ends to where the next one begins.</summary>
    public nint Jump { get; private init; }

    /// <summary>A block that is read or packed row by row, a row for each k: every tile fetches one line of each row.</summary>
    /// <param name="block">Its first element.</param>
    /// <param name="ld">Floats from a row to the next.</param>
    /// <param name="columns">Floats of a row that are wanted.</param>
    public static MatMulAhead Columns(float* block, nint ld, int columns) =>
        columns == 0 ? default : new((nint)block, ld * sizeof(float), LineBytes, ((columns * sizeof(float)) + LineBytes - 1) / LineBytes);

    /// <summary>Rows of a left operand that is read where it lies: every tile fetches the rows of the next one.</summary>
    /// <param name="a">First element of the first tile's rows.</param>
    /// <param name="lda">Floats from a row to the next.</param>
    /// <param name="k">Floats of a row that are wanted.</param>
    public static MatMulAhead NextRows(float* a, nint lda, int k)
    {
        nint run = (k + TileRows - 1) / TileRows;
        nint step = TileRows * sizeof(float);
        return new((nint)(a + (TileRows * lda)), step, TileRows * lda * sizeof(float), int.MaxValue) { Run = run, Jump = (lda * sizeof(float)) - (run * step) };
    }

    /// <summary>What the next tile fetches.</summary>
    public MatMulAhead Next => Tiles > 1 ? this with { First = First + Tile, Tiles = Tiles - 1 } : default;
}
