using Cllm.Numerics.Kernels;

namespace Cllm.Numerics.Reference;

/// <summary>
/// The products of <see cref="MatMul"/> as plain loops in double precision: slow, obvious, the measure of the fast ones.
/// </summary>
public static class ReferenceMatMul
{
    /// <summary>c(m, n) = start + a(m, k)·b(k, n), all rows without gaps.</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">(m, k).</param>
    /// <param name="b">(k, n).</param>
    /// <param name="c">(m, n).</param>
    /// <param name="start">What the sums start at.</param>
    /// <param name="bias">n numbers for <see cref="MatMulStart.Bias"/>, else empty.</param>
    public static void NN(
        int m, int n, int k, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c, MatMulStart start, ReadOnlySpan<double> bias)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = First(c[(i * n) + j], j, start, bias);
                for (int t = 0; t < k; t++)
                {
                    sum += a[(i * k) + t] * b[(t * n) + j];
                }

                c[(i * n) + j] = sum;
            }
        }
    }

    /// <summary>c(m, n) = start + a(m, k)·b(n, k)ᵀ, all rows without gaps.</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">(m, k).</param>
    /// <param name="b">(n, k).</param>
    /// <param name="c">(m, n).</param>
    /// <param name="start">What the sums start at.</param>
    /// <param name="bias">n numbers for <see cref="MatMulStart.Bias"/>, else empty.</param>
    public static void NT(
        int m, int n, int k, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c, MatMulStart start, ReadOnlySpan<double> bias)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = First(c[(i * n) + j], j, start, bias);
                for (int t = 0; t < k; t++)
                {
                    sum += a[(i * k) + t] * b[(j * k) + t];
                }

                c[(i * n) + j] = sum;
            }
        }
    }

    /// <summary>c(m, n) = start + a(k, m)ᵀ·b(k, n), all rows without gaps.</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">(k, m).</param>
    /// <param name="b">(k, n).</param>
    /// <param name="c">(m, n).</param>
    /// <param name="start">What the sums start at.</param>
    /// <param name="bias">n numbers for <see cref="MatMulStart.Bias"/>, else empty.</param>
    public static void TN(
        int m, int n, int k, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c, MatMulStart start, ReadOnlySpan<double> bias)
    {
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = First(c[(i * n) + j], j, start, bias);
                for (int t = 0; t < k; t++)
                {
                    sum += a[(t * m) + i] * b[(t * n) + j];
                }

                c[(i * n) + j] = sum;
            }
        }
    }

    private static double First(double present, int column, MatMulStart start, ReadOnlySpan<double> bias) => start switch
    {
        MatMulStart.Zero => 0,
        MatMulStart.Bias => bias[column],
        _ => present,
    };
}
