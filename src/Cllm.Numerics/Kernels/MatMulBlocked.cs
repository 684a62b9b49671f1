namespace Cllm.Numerics.Kernels;

/// <summary>Where the operands of a product lie in memory.</summary>
internal enum MatMulForm
{
    /// <summary>A is (m, k), B is (k, n).</summary>
    NN,

    /// <summary>A is (m, k), B is (n, k).</summary>
    NT,

    /// <summary>A is (k, m), B is (k, n).</summary>
    TN,
}

/// <summary>A product cut into blocks that fit the caches, for one vector width.</summary>
/// <remarks>
/// Blocks of n, in them blocks of k, in them (for a transposed A) blocks of m, in them strips, in them tiles: the order of Goto and van de
/// Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008. From the second block of k on the accumulators go
/// on from what C holds, so the terms of each element are still added one by one in ascending k.
/// </remarks>
internal static unsafe class MatMulBlocked<TLanes, TVector>
    where TLanes : IMatMulLanes<TVector>
    where TVector : struct
{
    /// <summary>
    /// A B given as (k, n) is read where it lies if its rows are at most this far apart, close enough for the caches, or if there is
    /// but one tile of rows, so that packing would not pay.
    /// </summary>
    private const int DirectColumnsMax = 768;

    /// <summary>c = start + op(a)·op(b) for m rows, n columns and k terms; all at least 1.</summary>
    public static void Product(
        MatMulForm form, int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, MatMulStart start, float* bias,
        MatMulScratch scratch)
    {
        int kBlocks = (k + MatMulScratch.KBlockMax - 1) / MatMulScratch.KBlockMax;
        int kBlock = (k + kBlocks - 1) / kBlocks;
        for (int j = 0; j < n; j += MatMulScratch.NBlock)
        {
            int columns = Math.Min(MatMulScratch.NBlock, n - j);
            for (int first = 0; first < k; first += kBlock)
            {
                int terms = Math.Min(kBlock, k - first);
                var starts = first > 0 || start == MatMulStart.Accumulate ? new Starts(c + j, ldc)
                    : start == MatMulStart.Bias ? new Starts(bias + j, 0)
                    : default;
                float* aBlock = form == MatMulForm.TN ? a + (first * (nint)lda) : a + first;
                float* bBlock = form == MatMulForm.NT ? b + (j * (nint)ldb) + first : b + (first * (nint)ldb) + j;
                Block(form, m, columns, terms, aBlock, lda, bBlock, ldb, starts, c + j, ldc, scratch);
            }
        }
    }

    private static void Block(
        MatMulForm form, int m, int n, int k, float* a, nint lda, float* b, nint ldb, Starts starts, float* c, nint ldc,
        MatMulScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        bool inPlace = form != MatMulForm.NT && (ldb <= DirectColumnsMax || m <= MatMulTile<TLanes, TVector>.Rows);
        int direct = inPlace ? n - (n % stripWidth) : 0;
        if (form == MatMulForm.NT)
        {
            MatMulPack.Transposed(n, k, b, ldb, stripWidth, TLanes.Lanes, scratch.B);
        }
        else
        {
            MatMulPack.Columns(n - direct, k, b + direct, ldb, stripWidth, TLanes.Lanes, scratch.B);
        }

        if (form != MatMulForm.TN)
        {
            var strides = new MatMulStrides(k, lda, 1, MatMulTile<TLanes, TVector>.Rows * lda, 0, starts.Row, ldc);
            Strips(m, n, direct, a, b, ldb, starts.First, c, strides, scratch);
            return;
        }

        nint panelFloats = (MatMulTile<TLanes, TVector>.Rows * (nint)k) + MatMulScratch.PanelGap;
        for (int i = 0; i < m; i += MatMulScratch.MBlock)
        {
            int rows = Math.Min(MatMulScratch.MBlock, m - i);
            MatMulPack.Rows(rows, k, a + i, lda, panelFloats, scratch.A);
            var strides = new MatMulStrides(k, 1, MatMulTile<TLanes, TVector>.Rows, panelFloats, 0, starts.Row, ldc);
            float* first = starts.First is null ? null : starts.First + (i * starts.Row);
            Strips(rows, n, direct, scratch.A, b, ldb, first, c + (i * ldc), strides, scratch);
        }
    }

    /// <summary>The strips of a block: the first <paramref name="direct"/> columns of B are read in place, the others packed.</summary>
    private static void Strips(
        int m, int n, int direct, float* a, float* b, nint ldb, float* start, float* c, MatMulStrides strides, MatMulScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        float* packed = scratch.B;
        for (int j = 0; j < n; j += stripWidth)
        {
            int columns = Math.Min(stripWidth, n - j);
            int width = j < direct ? (int)ldb : MatMulPack.RoundUp(columns, TLanes.Lanes);
            MatMulStrip<TLanes, TVector>.Run(
                m, columns, a, j < direct ? b + j : packed, start is null ? scratch.Zeros : start + j, c + j,
                strides with { BStep = width }, scratch.EdgeTile);
            packed += j < direct ? 0 : width * strides.K;
        }
    }

    /// <summary>Starting values: the first one, and the distance between rows; none where the sums start at zero.</summary>
    private readonly struct Starts(float* first, nint row)
    {
        public readonly float* First = first;
        public readonly nint Row = row;
    }
}
