namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twin of <see cref="Kernels.Gelu"/>, with the tanh written out.</summary>
public static class ReferenceGelu
{
    /// <summary>y[i] = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).</summary>
    public static void Forward(ReadOnlySpan<double> x, Span<double> y)
    {
        for (var i = 0; i < x.Length; i++)
        {
            y[i] = 0.5 * x[i] * (1 + Math.Tanh(Inner(x[i])));
        }
    }

    /// <summary>dx[i] = dy[i] * the derivative at x[i].</summary>
    public static void Backward(ReadOnlySpan<double> x, ReadOnlySpan<double> dy, Span<double> dx)
    {
        for (var i = 0; i < x.Length; i++)
        {
            var tanh = Math.Tanh(Inner(x[i]));
            var innerSlope = Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x[i] * x[i]);
            dx[i] = dy[i] * (0.5 * (1 + tanh) + 0.5 * x[i] * (1 - tanh * tanh) * innerSlope);
        }
    }

    private static double Inner(double x) => Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
}
