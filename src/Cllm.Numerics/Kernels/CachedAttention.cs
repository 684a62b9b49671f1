namespace Cllm.Numerics.Kernels;

/// <summary>Attention of one new token over the keys and values of all tokens up to it: one step of generation.</summary>
/// <remarks>Reads each key and value once, 8 * D bytes a token and head, for 4 * D flops: bound by memory.</remarks>
public static class CachedAttention
{
    /// <summary>output = softmax(query · keysᵀ / sqrt(D)) · values, for one head.</summary>
    /// <param name="tokens">Cached tokens, the new one included.</param>
    /// <param name="headSize">D.</param>
    /// <param name="width">Distance between tokens in the caches.</param>
    /// <param name="query">(D).</param>
    /// <param name="keys">Keys, starting at this head of token 0: (tokens, D) with stride <paramref name="width"/>.</param>
    /// <param name="values">Values, laid out likewise.</param>
    /// <param name="scores">Room for <paramref name="tokens"/> numbers.</param>
    /// <param name="output">(D).</param>
    public static void Forward(
        int tokens,
        int headSize,
        int width,
        ReadOnlySpan<float> query,
        ReadOnlySpan<float> keys,
        ReadOnlySpan<float> values,
        Span<float> scores,
        Span<float> output)
    {
        float scale = 1f / MathF.Sqrt(headSize);
        scores = scores[..tokens];
        MatVec.NT(tokens, headSize, query, keys, width, scores);
        for (int i = 0; i < tokens; i++)
        {
            scores[i] *= scale;
        }

        Softmax.Forward(scores, scores);
        output = output[..headSize];
        output.Clear();
        MatVec.NN(headSize, tokens, scores, values, width, output, output);
    }
}
