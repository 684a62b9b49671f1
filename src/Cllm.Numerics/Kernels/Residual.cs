namespace Cllm.Numerics.Kernels;

/// <summary>The residual connection.</summary>
public static class Residual
{
    /// <summary>y[i] = x[i] + branch[i].</summary>
    /// <param name="x">The residual stream.</param>
    /// <param name="branch">As long as x.</param>
    /// <param name="y">As long as x; may be either input.</param>
    public static void Add(ReadOnlySpan<float> x, ReadOnlySpan<float> branch, Span<float> y) =>
        Elementwise.Map(default(AddOperator), x, branch, y);
}
