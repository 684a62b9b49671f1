namespace Cllm.Numerics.Kernels;

/// <summary>One inner node of the fixed binary tree in which leaf gradients are added.</summary>
public static class GradientTree
{
    /// <summary>sum[i] = left[i] + right[i].</summary>
    /// <param name="left">The gradient of the leaves with the lower indices.</param>
    /// <param name="right">As long as left.</param>
    /// <param name="sum">As long as left; may be either input.</param>
    public static void Add(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> sum) =>
        Elementwise.Map(default(AddOperator), left, right, sum);
}
