using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>
/// Adds gradients over a short range of the flat vector in the order of the reduction tree, in cache: the sum is never written to memory. Used by one thread.
/// </summary>
/// <param name="leaves">The run's leaves.</param>
public sealed class TreeSum(LeafPlan leaves) : IDisposable
{
    /// <summary>Numbers added at a time: 16 KiB a buffer, so that the whole tree's path stays in the first-level cache.</summary>
    public const int Chunk = 4096;

    private readonly AlignedBuffer _partialSums = new((leaves.RootLevel + 1) * Chunk);

    /// <summary>The sum of all leaves.</summary>
    /// <param name="sources">Gradients that cover every leaf exactly once.</param>
    /// <param name="range">At most <see cref="Chunk"/> numbers.</param>
    /// <returns>The sum; good until the next call.</returns>
    public ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, ParameterRange range) => Add(sources, leaves.RootLevel, 0, range);

    /// <summary>The sum of a node's leaves.</summary>
    /// <param name="sources">Gradients that cover every leaf of the node exactly once.</param>
    /// <param name="level">Level of the node.</param>
    /// <param name="index">Position of the node in its level.</param>
    /// <param name="range">At most <see cref="Chunk"/> numbers.</param>
    /// <returns>The sum; good until the next call.</returns>
    /// <exception cref="InvalidOperationException">A leaf is not covered.</exception>
    public ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, int level, int index, ParameterRange range) =>
        Add(sources, level, index, 0, range);

    /// <inheritdoc/>
    public void Dispose() => _partialSums.Dispose();

    private ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, int level, int index, int depth, ParameterRange range)
    {
        foreach (ref readonly GradientSource source in sources)
        {
            if (source.Level == level && source.Index == index)
            {
                return source.Holder.Buffer(source.Buffer).Slice(range.Offset - source.Offset, range.Length);
            }
        }

        if (level == 0)
        {
            throw new InvalidOperationException($"no gradient source covers leaf {index}; the coordinator must order a reduction of every leaf");
        }

        ReadOnlySpan<float> left = Add(sources, level - 1, index * 2, depth, range);
        if (((index * 2) + 1) << (level - 1) >= leaves.Leaves)
        {
            return left;
        }

        ReadOnlySpan<float> right = Add(sources, level - 1, (index * 2) + 1, depth + 1, range);
        Span<float> sum = _partialSums.Span.Slice(depth * Chunk, range.Length);
        GradientTree.Add(left, right, sum);
        return sum;
    }
}
