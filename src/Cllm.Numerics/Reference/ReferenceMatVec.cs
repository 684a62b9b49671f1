using Cllm.Numerics.Kernels;

namespace Cllm.Numerics.Reference;

/// <summary>The products of <see cref="MatVec"/> as plain loops in double precision.</summary>
public static class ReferenceMatVec
{
    /// <summary>y(n) = bias(n) + x(k)·b(k, n), rows of b without gaps.</summary>
    /// <param name="x">(k).</param>
    /// <param name="b">(k, n).</param>
    /// <param name="bias">(n).</param>
    /// <param name="y">(n).</param>
    public static void NN(ReadOnlySpan<double> x, ReadOnlySpan<double> b, ReadOnlySpan<double> bias, Span<double> y)
    {
        for (int j = 0; j < y.Length; j++)
        {
            double sum = bias[j];
            for (int t = 0; t < x.Length; t++)
            {
                sum += x[t] * b[(t * y.Length) + j];
            }

            y[j] = sum;
        }
    }

    /// <summary>y(n) = b(n, k)·x(k), rows of b without gaps.</summary>
    /// <param name="x">(k).</param>
    /// <param name="b">(n, k).</param>
    /// <param name="y">(n).</param>
    public static void NT(ReadOnlySpan<double> x, ReadOnlySpan<double> b, Span<double> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            double sum = 0;
            for (int t = 0; t < x.Length; t++)
            {
                sum += x[t] * b[(i * x.Length) + t];
            }

            y[i] = sum;
        }
    }
}
