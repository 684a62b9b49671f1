using Cllm.Numerics.Kernels;

namespace Cllm.Model.Compute;

/// <summary>
/// The sum of two parts of the reduction tree, not added yet: whoever reads the sum only once adds as he reads, without a pass over memory of its own.
/// </summary>
/// <param name="left">The part with the lower leaves.</param>
/// <param name="right">As long as left; empty where left is the sum already.</param>
internal readonly ref struct LastAddition(ReadOnlySpan<float> left, ReadOnlySpan<float> right = default)
{
    public ReadOnlySpan<float> Left { get; } = left;

    public ReadOnlySpan<float> Right { get; } = right;

    /// <summary>Adds.</summary>
    /// <param name="sum">As long as left.</param>
    public void WriteTo(Span<float> sum)
    {
        if (Right.IsEmpty)
        {
            Left.CopyTo(sum);
        }
        else
        {
            GradientTree.Add(Left, Right, sum);
        }
    }
}
