using Cllm.Numerics.Memory;

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
    /// A B given as (k, n) is read where it lies if its rows are at most this far apart, so that a strip's rows do not crowd into a few
    /// sets of the caches.
    /// </summary>
    private const int DirectColumnsMax = 3072;

    /// <summary>The same where nothing is fetched ahead, as few terms leave no time for it.</summary>
    private const int DirectColumnsMaxUnfetched = 768;

    /// <summary>
    /// Columns of a strip from which on operands with far-apart rows are read in place: a narrower one takes a single line of each row,
    /// and passes over A more often.
    /// </summary>
    private const int WideStrip = 64;

    /// <summary>Fewest rows of C for which the next strip of B is fetched ahead: fewer tiles would pass by too fast.</summary>
    private const int FetchRowsMin = 24;

    /// <summary>Floats of an operand or a result from which on it is fetched ahead: a smaller one is in the caches as it is.</summary>
    private const long FetchFloatsMin = 1 << 17;

    /// <summary>Terms of a weight gradient from which on B is fetched ahead: fewer leave no time for it.</summary>
    private const int FetchTermsMin = 256;

    /// <summary>
    /// Floats of a transposed A up to which it is read where it lies: a tile takes six floats of each row, of lines that stay near in the
    /// caches from one strip to the next. Of a larger one the panels that are in use stay nearer when they are packed.
    /// </summary>
    private const int DirectFloatsMax = 1 << 19;

    /// <summary>Floats from which on a weight gradient is stored past the caches: it would push out what the next products read.</summary>
    private const long StreamFloatsMin = 1 << 18;

    /// <summary>
    /// Floats of a B read in place up to which a block takes all its columns where A is packed: it stays in the second-level cache while the blocks of A pass by,
    /// and those are packed once.
    /// </summary>
    private const long WholeFloatsMax = 1 << 17;

    /// <summary>Rows of B that one block takes as the left operand: they stay in the second-level cache while the strips pass by.</summary>
    private const int SwappedRows = 96;

    /// <summary>c = start + op(a)·op(b) for m rows, n columns and k terms; all at least 1.</summary>
    public static void Product(
        MatMulForm form, int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, MatMulStart start, float* bias,
        MatMulScratch scratch)
    {
        if (form == MatMulForm.NT && start == MatMulStart.Zero && IsCheaperSwapped(m, n, k))
        {
            Swapped(m, n, k, a, lda, b, ldb, c, ldc, scratch);
            return;
        }

        int kBlocks = (k + MatMulScratch.KBlockMax - 1) / MatMulScratch.KBlockMax;
        int kBlock = (k + kBlocks - 1) / kBlocks;
        bool streams = form == MatMulForm.TN && start != MatMulStart.Accumulate && kBlocks == 1 && (long)m * n >= StreamFloatsMin
            && ((nint)c | (ldc * sizeof(float))) % AlignedBuffer.AlignmentBytes == 0;
        bool fetches = form != MatMulForm.NT && (form == MatMulForm.NN || k >= FetchTermsMin) && m >= FetchRowsMin && (long)k * n >= FetchFloatsMin;
        bool inPlace = form != MatMulForm.NT && (ldb <= DirectMax(fetches) || m <= MatMulTile<TLanes, TVector>.Rows);
        int nBlock = inPlace && (form == MatMulForm.NN || (long)kBlock * n <= WholeFloatsMax) ? n : MatMulScratch.NBlock;
        for (int j = 0; j < n; j += nBlock)
        {
            int columns = Math.Min(nBlock, n - j);
            for (int first = 0; first < k; first += kBlock)
            {
                int terms = Math.Min(kBlock, k - first);
                var starts = first > 0 || start == MatMulStart.Accumulate ? new Starts(c + j, ldc)
                    : start == MatMulStart.Bias ? new Starts(bias + j, 0)
                    : default;
                float* aBlock = form == MatMulForm.TN ? a + (first * (nint)lda) : a + first;
                float* bBlock = form == MatMulForm.NT ? b + (j * (nint)ldb) + first : b + (first * (nint)ldb) + j;
                float* ahead = !fetches ? null
                    : first + terms < k ? bBlock + (terms * (nint)ldb)
                    : b + j + columns;
                Block(form, m, columns, terms, aBlock, lda, bBlock, ldb, inPlace, ahead, starts, c + j, ldc, streams, scratch);
            }
        }

        if (streams)
        {
            // Such stores are ordered by nothing else, and other threads read the gradient.
            Interlocked.MemoryBarrier();
        }
    }

    /// <summary>How far apart the rows of a B that is read in place may be.</summary>
    private static int DirectMax(bool fetches) =>
        fetches && MatMulStrip<TLanes, TVector>.Width >= WideStrip ? DirectColumnsMax : DirectColumnsMaxUnfetched;

    /// <summary>
    /// Whether moving A and C costs less than packing B: of two operands the larger one is better read where it lies, and only the left
    /// one is.
    /// </summary>
    private static bool IsCheaperSwapped(int m, int n, int k) =>
        m is >= FetchRowsMin and <= MatMulScratch.NBlock && 2L * m * (n + k) <= (long)n * k;

    /// <summary>c = a·bᵀ as the transpose of b·aᵀ: the same terms in the same order, so the same bits.</summary>
    private static void Swapped(int m, int n, int k, float* a, nint lda, float* b, nint ldb, float* c, nint ldc, MatMulScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        int width = MatMulPack.RoundUp(m, TLanes.Lanes);
        int rowsMax = MatMulScratch.AFloats / width / SwappedRows * SwappedRows;
        int kBlocks = (k + MatMulScratch.KBlockMax - 1) / MatMulScratch.KBlockMax;
        int kBlock = (k + kBlocks - 1) / kBlocks;
        float* transposed = scratch.A;
        for (int j = 0; j < n; j += rowsMax)
        {
            int rows = Math.Min(rowsMax, n - j);
            for (int first = 0; first < k; first += kBlock)
            {
                int terms = Math.Min(kBlock, k - first);
                if (j == 0 || kBlocks > 1)
                {
                    MatMulPack.Transposed(m, terms, a + first, lda, stripWidth, TLanes.Lanes, scratch.B);
                }

                var strides = new MatMulStrides(terms, ldb, 1, MatMulTile<TLanes, TVector>.Rows * ldb, 0, first > 0 ? width : 0, width);
                for (int i = 0; i < rows; i += SwappedRows)
                {
                    float* block = transposed + (i * (nint)width);
                    float* left = b + ((j + i) * ldb) + first;
                    var fetched = new Fetched { First = MatMulAhead.NextRows(left, ldb, terms) };
                    Strips(Math.Min(SwappedRows, rows - i), m, 0, left, scratch.B, 0, fetched, first > 0 ? block : null, block, strides, scratch);
                }
            }

            MatMulPack.Transpose(rows, m, transposed, width, c + j, ldc);
        }
    }

    private static void Block(
        MatMulForm form, int m, int n, int k, float* a, nint lda, float* b, nint ldb, bool inPlace, float* ahead, Starts starts, float* c, nint ldc,
        bool streams, MatMulScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
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
            Strips(m, n, direct, a, b, ldb, new() { NextBlock = ahead }, starts.First, c, strides, scratch);
            return;
        }

        if (stripWidth >= WideStrip && k * lda <= DirectFloatsMax)
        {
            var strides = new MatMulStrides(k, 1, lda, MatMulTile<TLanes, TVector>.Rows, 0, starts.Row, ldc) { Streams = streams };
            var columns = (long)k * m < FetchFloatsMin ? default : MatMulAhead.NextColumns(a, lda);
            Strips(m, n, direct, a, b, ldb, new() { NextBlock = ahead, First = columns }, starts.First, c, strides, scratch);
            return;
        }

        nint panelFloats = (MatMulTile<TLanes, TVector>.Rows * (nint)k) + MatMulScratch.PanelGap;
        for (int i = 0; i < m; i += MatMulScratch.MBlock)
        {
            int rows = Math.Min(MatMulScratch.MBlock, m - i);
            MatMulPack.Rows(rows, m - i, k, a + i, lda, panelFloats, scratch.A);
            var strides = new MatMulStrides(k, 1, MatMulTile<TLanes, TVector>.Rows, panelFloats, 0, starts.Row, ldc) { Streams = streams };
            float* first = starts.First is null ? null : starts.First + (i * starts.Row);
            int next = Math.Min(MatMulScratch.MBlock, m - i - rows);
            var packedNext = next == 0 ? default : MatMulAhead.Columns(a + i + rows, lda, next);
            Strips(rows, n, direct, scratch.A, b, ldb, new() { NextBlock = ahead, Last = packedNext }, first, c + (i * ldc), strides, scratch);
        }
    }

    /// <summary>The strips of a block: the first <paramref name="direct"/> columns of B are read in place, the others packed.</summary>
    private static void Strips(
        int m, int n, int direct, float* a, float* b, nint ldb, in Fetched fetched, float* start, float* c, in MatMulStrides strides, MatMulScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        float* packed = scratch.B;
        var output = strides.Streams || (long)m * n < FetchFloatsMin ? default : MatMulAhead.Output(strides.CRow, strides.K);
        for (int j = 0; j < n; j += stripWidth)
        {
            int columns = Math.Min(stripWidth, n - j);
            bool isDirect = j < direct;
            int width = isDirect ? (int)ldb : MatMulPack.RoundUp(columns, TLanes.Lanes);
            float* nextStrip = fetched.NextBlock is null ? null
                : !isDirect ? fetched.NextBlock + j
                : j + stripWidth < direct ? b + j + stripWidth
                : fetched.NextBlock;
            var ahead = j == 0 && fetched.First.Step != 0 ? fetched.First
                : j + stripWidth >= n && fetched.Last.Step != 0 ? fetched.Last
                : nextStrip is not null ? MatMulAhead.Columns(nextStrip, ldb, stripWidth)
                : default;
            MatMulStrip<TLanes, TVector>.Run(
                m, columns, a, isDirect ? b + j : packed, start is null ? scratch.Zeros : start + j, c + j, strides with { BStep = width, Output = output }, ahead,
                scratch.EdgeTile);
            packed += isDirect ? 0 : width * strides.K;
        }
    }

    /// <summary>What the strips of a block fetch into the caches while they are computed.</summary>
    private readonly struct Fetched
    {
        /// <summary>Where the B of the next block begins, where B comes from memory: each strip fetches the one that will be read or packed next.</summary>
        public float* NextBlock { get; init; }

        /// <summary>What the first strip fetches instead: of A, which it is the first to read.</summary>
        public MatMulAhead First { get; init; }

        /// <summary>What the last strip fetches instead: of A, which is packed next.</summary>
        public MatMulAhead Last { get; init; }
    }

    /// <summary>Starting values: the first one, and the distance between rows; none where the sums start at zero.</summary>
    private readonly struct Starts(float* first, nint row)
    {
        public readonly float* First = first;
        public readonly nint Row = row;
    }
}
