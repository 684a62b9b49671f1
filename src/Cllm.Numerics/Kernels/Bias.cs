namespace Cllm.Numerics.Kernels;

/// <summary>The gradient of a bias that was added to every row of a matrix.</summary>
public static class Bias
{
    /// <summary>dBias[c] = sum over rows of dy[r, c], rows in order, for a range of columns.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Numbers per row, the length of the bias.</param>
    /// <param name="stride">Distance between the starts of rows in dy.</param>
    /// <param name="firstColumn">First column computed.</param>
    /// <param name="columns">Number of columns computed; the others are left alone.</param>
    /// <param name="dy">(rows, width), rows <paramref name="stride"/> apart.</param>
    /// <param name="dBias">(width); overwritten in the range.</param>
    public static void Backward(int rows, int width, int stride, int firstColumn, int columns, ReadOnlySpan<float> dy, Span<float> dBias)
    {
        // Row after row over the sums, which stay in the first-level cache, reads the large matrix as one stream.
        var sums = dBias[..width].Slice(firstColumn, columns);
        sums.Clear();
        for (var r = 0; r < rows; r++)
        {
            Elementwise.Map(default(AddOperator), sums, dy.Slice(r * stride + firstColumn, columns), sums);
        }
    }
}
