namespace Cllm.Numerics.Kernels;

/// <summary>
/// What the tiles of a strip fetch into the caches while they compute: one cache line for each k, few enough to hide behind the arithmetic. The hardware's own
/// prefetching follows long rows; where short ones lie far apart, or results are stored to memory that is not in the caches, products would wait.
/// </summary>
/// <param name="First">Address of the first tile's first line.</param>
/// <param name="Step">Bytes from a line to the one fetched at the next k; 0 where nothing is fetched.</param>
internal readonly unsafe record struct MatMulAhead(nint First, nint Step)
{
    private const int LineBytes = 64;
    private const int TileRows = MatMulScratch.TileRows;
    private const int TileBytes = 4 * LineBytes;

    /// <summary>After so many k a fetched row ends; 0 where each k has a row of its own.</summary>
    public nint Run { get; private init; }

    /// <summary>Bytes from where a fetched row ends to where the next one begins.</summary>
    public nint Jump { get; private init; }

    /// <summary>What the next tile fetches.</summary>
    public MatMulAhead Next => Tiles > 1 ? this with { First = First + Tile, Tiles = Tiles - 1 } : default;

    /// <summary>Bytes from a tile's first line to the next tile's.</summary>
    private nint Tile { get; init; }

    /// <summary>How many tiles fetch.</summary>
    private int Tiles { get; init; }

    /// <summary>A block that is read or packed row by row, a row for each k: every tile fetches one line of each row.</summary>
    /// <param name="block">Its first element.</param>
    /// <param name="ld">Floats from a row to the next.</param>
    /// <param name="columns">Floats of a row that are wanted.</param>
    public static MatMulAhead Columns(float* block, nint ld, int columns) =>
        new((nint)block, ld * sizeof(float)) { Tile = LineBytes, Tiles = ((columns * sizeof(float)) + LineBytes - 1) / LineBytes };

    /// <summary>Rows of a left operand that is read where it lies: every tile fetches the six rows of the next one.</summary>
    /// <param name="a">First element of the first tile's rows.</param>
    /// <param name="lda">Floats from a row to the next.</param>
    /// <param name="k">Floats of a row that are wanted.</param>
    public static MatMulAhead NextRows(float* a, nint lda, int k) =>
        Rows((nint)(a + (TileRows * lda)), lda, k, k * sizeof(float)) with { Tile = TileRows * lda * sizeof(float), Tiles = int.MaxValue };

    /// <summary>A transposed left operand that is read where it lies: every tile fetches a line of each row, some columns further on.</summary>
    /// <param name="a">First element of the first tile's columns.</param>
    /// <param name="lda">Floats from a row to the next.</param>
    public static MatMulAhead NextColumns(float* a, nint lda) =>
        new((nint)a + (2 * LineBytes), lda * sizeof(float)) { Tile = TileRows * sizeof(float), Tiles = int.MaxValue };

    /// <summary>A tile's own rows of C; where they begin is the tile's to say.</summary>
    /// <param name="ldc">Floats from a row to the next.</param>
    /// <param name="k">Terms of each sum.</param>
    public static MatMulAhead Output(nint ldc, nint k) => Rows(0, ldc, k, TileBytes);

    /// <summary>Six rows, evenly spread over all k.</summary>
    private static MatMulAhead Rows(nint first, nint ld, nint k, nint bytes)
    {
        nint run = (k + TileRows - 1) / TileRows;
        nint step = (bytes + run - 1) / run;
        return new(first, step) { Run = run, Jump = (ld * sizeof(float)) - (run * step) };
    }
}
