namespace Cllm.Numerics.Kernels;

/// <summary>Token and position embeddings: looked up and added; their gradients scattered back in a fixed order.</summary>
public static class Embedding
{
    /// <summary>h[i] = wte[tokens[i]] + wpe[firstPosition + i] for one row of tokens.</summary>
    /// <param name="tokens">(T) token ids.</param>
    /// <param name="firstPosition">Position of the first token.</param>
    /// <param name="width">C, numbers per token.</param>
    /// <param name="wte">(vocabulary, C).</param>
    /// <param name="wpe">(block, C).</param>
    /// <param name="h">(T, C).</param>
    /// <exception cref="ArgumentOutOfRangeException">A token or position lies outside its table.</exception>
    public static void Forward(
        ReadOnlySpan<int> tokens, int firstPosition, int width, ReadOnlySpan<float> wte, ReadOnlySpan<float> wpe, Span<float> h)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            var token = wte.Slice(tokens[i] * width, width);
            var position = wpe.Slice((firstPosition + i) * width, width);
            Elementwise.Map(default(AddOperator), token, position, h.Slice(i * width, width));
        }
    }

    /// <summary>dWte[tokens[i], c] += dh[i, c], tokens in order, for a range of columns.</summary>
    /// <param name="tokens">All tokens of the leaf in order.</param>
    /// <param name="width">C, numbers per token.</param>
    /// <param name="firstColumn">First column computed.</param>
    /// <param name="columns">Number of columns computed; the others are left alone.</param>
    /// <param name="dh">(tokens, C).</param>
    /// <param name="dWte">(vocabulary, C); added to.</param>
    /// <exception cref="ArgumentOutOfRangeException">A token lies outside the table.</exception>
    public static void BackwardTokens(
        ReadOnlySpan<int> tokens, int width, int firstColumn, int columns, ReadOnlySpan<float> dh, Span<float> dWte)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            var sum = dWte.Slice(tokens[i] * width + firstColumn, columns);
            Elementwise.Map(default(AddOperator), sum, dh.Slice(i * width + firstColumn, columns), sum);
        }
    }

    /// <summary>dWpe[p] = sum over rows of dh[row, p], rows in order, for a range of positions.</summary>
    /// <param name="rows">Rows of the leaf.</param>
    /// <param name="block">T, tokens per row.</param>
    /// <param name="width">C, numbers per token.</param>
    /// <param name="firstPosition">First position computed.</param>
    /// <param name="positions">Number of positions computed; the others are left alone.</param>
    /// <param name="dh">(rows, T, C).</param>
    /// <param name="dWpe">(at least T, C); overwritten in the range.</param>
    public static void BackwardPositions(
        int rows, int block, int width, int firstPosition, int positions, ReadOnlySpan<float> dh, Span<float> dWpe)
    {
        var sum = dWpe.Slice(firstPosition * width, positions * width);
        sum.Clear();
        for (var r = 0; r < rows; r++)
        {
            Elementwise.Map(default(AddOperator), sum, dh.Slice((r * block + firstPosition) * width, positions * width), sum);
        }
    }
}
