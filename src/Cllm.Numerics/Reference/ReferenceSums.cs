namespace Cllm.Numerics.Reference;

/// <summary>
/// The double-precision twins of the kernels that only add: <see cref="Kernels.Bias"/>, <see cref="Kernels.Residual"/>,
/// <see cref="Kernels.GradientTree"/> and <see cref="Kernels.SquaredNorm"/>.
/// </summary>
public static class ReferenceSums
{
    /// <summary>sums[c] = sum over rows of x[r, c], rows <paramref name="stride"/> apart, overwritten.</summary>
    public static void Columns(int rows, int width, int stride, ReadOnlySpan<double> x, Span<double> sums)
    {
        for (var c = 0; c < width; c++)
        {
            sums[c] = 0;
            for (var r = 0; r < rows; r++)
            {
                sums[c] += x[r * stride + c];
            }
        }
    }

    /// <summary>sum[i] = x[i] + y[i].</summary>
    public static void Add(ReadOnlySpan<double> x, ReadOnlySpan<double> y, Span<double> sum)
    {
        for (var i = 0; i < x.Length; i++)
        {
            sum[i] = x[i] + y[i];
        }
    }

    /// <summary>Sum of x[i]^2.</summary>
    public static double Squares(ReadOnlySpan<double> x)
    {
        var sum = 0.0;
        foreach (var number in x)
        {
            sum += number * number;
        }

        return sum;
    }
}
