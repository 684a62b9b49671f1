namespace Cllm.Numerics.Kernels;

/// <summary>One head of attention over one row, in blocks of queries, at one vector width.</summary>
/// <remarks>
/// Forward takes about 2 · T² · D operations (causal half), backward 5 T² D. The probabilities of a block are computed, used and
/// forgotten; backward computes them again from the logarithm of each row's sum: Dao et al., "FlashAttention", 2022, appendix B,
/// without its tiling over keys, as a block of queries against all its keys fits the second-level cache.
/// </remarks>
internal static unsafe class AttentionBlocks<TLanes, TVector>
    where TLanes : IMatMulLanes<TVector>
    where TVector : struct
{
    /// <summary>See <see cref="Attention.Forward"/>.</summary>
    public static void Forward(
        int tokens, int headSize, int width, float* qkv, float* output, float* logSumExp, AttentionDropout dropout,
        AttentionScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        nint row = 3 * (nint)width;
        int keysPadded = MatMulPack.RoundUp(tokens, AttentionScratch.Lanes);
        int channelsPadded = MatMulPack.RoundUp(headSize, AttentionScratch.Lanes);
        MatMulPack.Transposed(tokens, headSize, qkv + width, row, stripWidth, AttentionScratch.Lanes, scratch.KeysTransposed);
        MatMulPack.Columns(headSize, tokens, qkv + (2 * (nint)width), row, stripWidth, AttentionScratch.Lanes, scratch.Rows);
        float scale = Scale(headSize);
        float* probabilities = scratch.Probabilities;
        int stride = scratch.ProbabilityStride;
        for (int first = 0; first < tokens; first += AttentionScratch.QueryBlock)
        {
            int queries = Math.Min(AttentionScratch.QueryBlock, tokens - first);
            int keys = first + queries;
            int padded = MatMulPack.RoundUp(keys, AttentionScratch.Lanes);
            var scores = new Packed(scratch.KeysTransposed, headSize, keysPadded);
            Product(queries, padded, headSize, qkv + (first * row), row, 1, scores, probabilities, stride, false, scratch);
            AttentionSoftmax.Forward(probabilities, stride, queries, first + 1, padded, scale, logSumExp + first, scratch.Largest + first);
            if (!dropout.IsNone)
            {
                dropout.ApplyTo(new Span<float>(probabilities, queries * stride), queries, padded, stride, first);
            }

            var values = new Packed(scratch.Rows, tokens, channelsPadded);
            Product(queries, headSize, keys, probabilities, stride, 1, values, output + (first * (nint)width), width, false, scratch);
        }

        AttentionSoftmax.LogSums(logSumExp, scratch.Largest, tokens);
    }

    /// <summary>See <see cref="Attention.Backward"/>.</summary>
    public static void Backward(
        int tokens, int headSize, int width, float* qkv, float* output, float* logSumExp, float* dOutput, float* dQkv,
        AttentionDropout dropout, AttentionScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        nint row = 3 * (nint)width;
        float* keys = qkv + width;
        MatMulPack.Transposed(tokens, headSize, keys, row, stripWidth, AttentionScratch.Lanes, scratch.KeysTransposed);
        MatMulPack.Transposed(tokens, headSize, keys + width, row, stripWidth, AttentionScratch.Lanes, scratch.ValuesTransposed);
        MatMulPack.Columns(headSize, tokens, keys, row, stripWidth, AttentionScratch.Lanes, scratch.Rows);
        for (int first = 0; first < tokens; first += AttentionScratch.QueryBlock)
        {
            int queries = Math.Min(AttentionScratch.QueryBlock, tokens - first);
            nint offset = first * (nint)width;
            ScoreGradients(
                tokens, headSize, width, first, queries, qkv, output + offset, logSumExp + first, dOutput + offset, dropout, scratch);
            AddBlock(tokens, headSize, width, first, queries, qkv, dOutput + offset, dQkv, dropout, scratch);
        }
    }

    /// <summary>Probabilities of a block of queries, before and after dropout, and the gradients of their scores.</summary>
    private static void ScoreGradients(
        int tokens, int headSize, int width, int first, int queries, float* qkv, float* output, float* logSumExp, float* dOutput,
        AttentionDropout dropout, AttentionScratch scratch)
    {
        nint row = 3 * (nint)width;
        int stride = scratch.ProbabilityStride;
        int padded = MatMulPack.RoundUp(first + queries, AttentionScratch.Lanes);
        int keysPadded = MatMulPack.RoundUp(tokens, AttentionScratch.Lanes);
        float scale = Scale(headSize);
        float* probabilities = scratch.Probabilities;
        var keysTransposed = new Packed(scratch.KeysTransposed, headSize, keysPadded);
        Product(queries, padded, headSize, qkv + (first * row), row, 1, keysTransposed, probabilities, stride, false, scratch);
        AttentionSoftmax.Exponentials(probabilities, stride, queries, first + 1, padded, scale, logSumExp, scratch.Largest);
        float* dropped = probabilities;
        if (!dropout.IsNone)
        {
            dropped = scratch.Dropped;
            var copy = new Span<float>(dropped, queries * stride);
            new ReadOnlySpan<float>(probabilities, queries * stride).CopyTo(copy);
            dropout.ApplyTo(copy, queries, padded, stride, first);
        }

        var valuesTransposed = new Packed(scratch.ValuesTransposed, headSize, keysPadded);
        Product(queries, padded, headSize, dOutput, width, 1, valuesTransposed, scratch.ScoreGradients, stride, false, scratch);
        AttentionSoftmax.Dots(dOutput, output, width, queries, headSize, scratch.Largest);
        AttentionSoftmax.Backward(probabilities, dropped, scratch.ScoreGradients, stride, queries, padded, scratch.Largest, scale);
    }

    /// <summary>
    /// What a block of queries contributes: its own query gradients, and its terms of the gradients of its keys and values.
    /// </summary>
    private static void AddBlock(
        int tokens, int headSize, int width, int first, int queries, float* qkv, float* dOutput, float* dQkv, AttentionDropout dropout,
        AttentionScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        nint row = 3 * (nint)width;
        int stride = scratch.ProbabilityStride;
        int channelsPadded = MatMulPack.RoundUp(headSize, AttentionScratch.Lanes);
        float* dropped = dropout.IsNone ? scratch.Probabilities : scratch.Dropped;
        float* dScores = scratch.ScoreGradients;
        float* dKeys = dQkv + width;
        float* dValues = dKeys + width;
        MatMulPack.Columns(headSize, queries, qkv + (first * row), row, stripWidth, AttentionScratch.Lanes, scratch.Queries);
        MatMulPack.Columns(headSize, queries, dOutput, width, stripWidth, AttentionScratch.Lanes, scratch.OutputGradients);
        var keyRows = new Packed(scratch.Rows, tokens, channelsPadded);
        var queryRows = new Packed(scratch.Queries, queries, channelsPadded);
        var gradientRows = new Packed(scratch.OutputGradients, queries, channelsPadded);
        Product(queries, headSize, first + queries, dScores, stride, 1, keyRows, dQkv + (first * row), row, false, scratch);

        // Keys of earlier blocks have sums already; this block's own keys meet their first queries, before which all masks were zero.
        Product(first, headSize, queries, dropped, 1, stride, gradientRows, dValues, row, true, scratch);
        Product(first, headSize, queries, dScores, 1, stride, queryRows, dKeys, row, true, scratch);
        Product(queries, headSize, queries, dropped + first, 1, stride, gradientRows, dValues + (first * row), row, false, scratch);
        Product(queries, headSize, queries, dScores + first, 1, stride, queryRows, dKeys + (first * row), row, false, scratch);
    }

    /// <summary>c = a·b or c += a·b, with b packed in strips.</summary>
    private static void Product(
        int m, int n, int k, float* a, nint aRow, nint aStep, Packed b, float* c, nint ldc, bool accumulate, AttentionScratch scratch)
    {
        int stripWidth = MatMulStrip<TLanes, TVector>.Width;
        nint tile = MatMulTile<TLanes, TVector>.Rows * aRow;
        for (int j = 0; j < n; j += stripWidth)
        {
            int columns = Math.Min(stripWidth, n - j);
            int step = Math.Min(stripWidth, b.Columns - j);
            var strides = new MatMulStrides(k, aRow, aStep, tile, step, accumulate ? ldc : 0, ldc) { Output = MatMulAhead.Output(ldc, k) };
            float* start = accumulate ? c + j : scratch.Zeros;
            MatMulStrip<TLanes, TVector>.Run(m, columns, a, b.First + (j * (nint)b.Terms), start, c + j, strides, default, scratch.EdgeTile);
        }
    }

    private static float Scale(int headSize) => 1f / MathF.Sqrt(headSize);

    /// <summary>A packed operand: strips of <paramref name="terms"/> rows that together have <paramref name="columns"/> columns.</summary>
    private readonly struct Packed(float* first, int terms, int columns)
    {
        public readonly float* First = first;
        public readonly int Terms = terms;
        public readonly int Columns = columns;
    }
}
