using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>
/// Adds gradients over a short range of the flat vector in the order of the reduction tree, in cache: the sum is never written to memory. Used by one thread.
/// </summary>
/// <param name="leaves">The run's leaves.</param>
public sealed class TreeSum(LeafPlan leaves) : IGradientSum
{
    /// <summary>Numbers added at a time: 16 KiB a buffer, so that the whole tree's path stays in the first-level cache.</summary>
    public const int Chunk = 4096;

    private readonly AlignedBuffer _partialSums = new((leaves.RootLevel + 1) * Chunk);

    /// <summary>The sum of all leaves, but for its last addition.</summary>
    /// <param name="sources">Gradients that cover every leaf exactly once, in leaf order.</param>
    /// <param name="range">At most <see cref="Chunk"/> numbers.</param>
    /// <returns>What is left to add; good until the next call.</returns>
    internal LastAddition Last(ReadOnlySpan<GradientSource> sources, ParameterRange range) => Last(sources, leaves.RootLevel, 0, 0, range);

    /// <inheritdoc/>
    public ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, int level, int index, ParameterRange range) =>
        Add(sources, level, index, 0, range);

    /// <inheritdoc/>
    public void Dispose() => _partialSums.Dispose();

    private ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, int level, int index, int depth, ParameterRange range)
    {
        LastAddition last = Last(sources, level, index, depth, range);
        if (last.Right.IsEmpty)
        {
            return last.Left;
        }

        Span<float> sum = _partialSums.Span.Slice(depth * Chunk, range.Length);
        last.WriteTo(sum);
        return sum;
    }

    private LastAddition Last(ReadOnlySpan<GradientSource> sources, int level, int index, int depth, ParameterRange range)
    {
        // Whoever has the node's first leaf has all of the node or a part of it: so nobody else need be looked at, and hundreds of sources cost no search.
        if (!sources.IsEmpty && sources[0].Level == level && sources[0].Index == index)
        {
            return new(sources[0].Holder.Buffer(sources[0].Buffer).Slice(range.Offset - sources[0].Offset, range.Length));
        }

        if (level == 0)
        {
            throw new InvalidOperationException($"no gradient source covers leaf {index}; the coordinator must order a reduction of every leaf");
        }

        int middle = ((index * 2) + 1) << (level - 1);
        if (middle >= leaves.Leaves)
        {
            return Last(sources, level - 1, index * 2, depth, range);
        }

        int split = CountBefore(sources, middle);
        return new(
            Add(sources[..split], level - 1, index * 2, depth, range), Add(sources[split..], level - 1, (index * 2) + 1, depth + 1, range));
    }

    private static int CountBefore(ReadOnlySpan<GradientSource> sources, int leaf)
    {
        int low = 0, high = sources.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            bool isBefore = sources[middle].Index << sources[middle].Level < leaf;
            (low, high) = isBefore ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
