namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twin of <see cref="Kernels.Embedding"/>.</summary>
public static class ReferenceEmbedding
{
    /// <summary>h[i] = wte[tokens[i]] + wpe[firstPosition + i], each of <paramref name="width"/> numbers.</summary>
    public static void Forward(
        ReadOnlySpan<int> tokens, int firstPosition, int width, ReadOnlySpan<double> wte, ReadOnlySpan<double> wpe, Span<double> h)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            for (var c = 0; c < width; c++)
            {
                h[i * width + c] = wte[tokens[i] * width + c] + wpe[(firstPosition + i) * width + c];
            }
        }
    }

    /// <summary>dWte[tokens[i]] += dh[i].</summary>
    public static void BackwardTokens(ReadOnlySpan<int> tokens, int width, ReadOnlySpan<double> dh, Span<double> dWte)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            for (var c = 0; c < width; c++)
            {
                dWte[tokens[i] * width + c] += dh[i * width + c];
            }
        }
    }

    /// <summary>dWpe[p] = sum over rows of dh[row, p] for all positions, overwritten.</summary>
    public static void BackwardPositions(int rows, int block, int width, ReadOnlySpan<double> dh, Span<double> dWpe)
    {
        for (var i = 0; i < block * width; i++)
        {
            dWpe[i] = 0;
            for (var r = 0; r < rows; r++)
            {
                dWpe[i] += dh[r * block * width + i];
            }
        }
    }
}
