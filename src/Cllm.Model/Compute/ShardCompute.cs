using System.Diagnostics;
using Cllm.Model.Optimization;
using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>
/// One shard's arithmetic: the squared norm of the summed gradient over its range, then AdamW over the same range.
/// The sum over the reduction tree is never written to memory: both passes add the workers' buffers block by block in cache, which for the
/// few sources of one process costs less than writing the sum and reading it again.
/// </summary>
public sealed class ShardCompute : IShardCompute
{
    /// <summary>Numbers added at a time: 16 KiB a buffer, so that the whole tree's path stays in the first-level cache.</summary>
    private const int Chunk = 4096;

    private readonly RunPlan _plan;
    private readonly RunState _state;
    private readonly ParameterRange _range;
    private readonly AlignedBuffer _partialSums;
    private readonly (ParameterRange Range, bool Decays)[] _segments;

    /// <summary>Prepares the shard.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="state">Weights and moments; this shard writes only its range of them.</param>
    /// <param name="range">Whole norm blocks of the flat vector.</param>
    public ShardCompute(RunPlan plan, RunState state, ParameterRange range)
    {
        _plan = plan;
        _state = state;
        _range = range;
        _partialSums = new AlignedBuffer((plan.Leaves.RootLevel + 1) * Chunk);
        _segments = [.. Segments(plan.Layout, range)];
    }

    /// <summary>Where this shard's time went.</summary>
    public PhaseTimes Times { get; } = new();

    /// <inheritdoc/>
    public int Blocks => (_range.Length + ParameterLayout.NormBlock - 1) / ParameterLayout.NormBlock;

    /// <inheritdoc/>
    public void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms)
    {
        long began = Stopwatch.GetTimestamp();
        for (int block = 0; block < Blocks; block++)
        {
            int start = _range.Offset + (block * ParameterLayout.NormBlock);
            int end = Math.Min(start + ParameterLayout.NormBlock, _range.End);
            double norm = 0;
            for (int offset = start; offset < end; offset += Chunk)
            {
                norm += SquaredNorm.Sum(TreeSum(sources, new ParameterRange(offset, Math.Min(Chunk, end - offset))));
            }

            blockNorms[block] = norm;
        }

        Times.End(Phase.Reduce, began);
    }

    /// <inheritdoc/>
    public void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars)
    {
        long began = Stopwatch.GetTimestamp();
        AdamWScalars adam = AdamWStep.Scalars(_plan.Configuration.Optimizer, step, scalars.LearningRate, scalars.ClipScale);
        Span<float> weights = _state.Weights.Span, m = _state.FirstMoment.Span, v = _state.SecondMoment.Span;
        foreach ((ParameterRange range, bool decays) in _segments)
        {
            for (int offset = range.Offset; offset < range.End; offset += Chunk)
            {
                int count = Math.Min(Chunk, range.End - offset);
                ReadOnlySpan<float> gradient = TreeSum(sources, new ParameterRange(offset, count));
                AdamW.Update(weights.Slice(offset, count), m.Slice(offset, count), v.Slice(offset, count), gradient, adam, decays);
            }
        }

        Times.End(Phase.AdamW, began);
    }

    /// <inheritdoc/>
    public void Dispose() => _partialSums.Dispose();

    /// <summary>The sum of all leaves over a range of the vector, in the order of the reduction tree.</summary>
    private ReadOnlySpan<float> TreeSum(ReadOnlySpan<GradientSource> sources, ParameterRange range) =>
        TreeSum(sources, _plan.Leaves.RootLevel, 0, 0, range);

    private ReadOnlySpan<float> TreeSum(ReadOnlySpan<GradientSource> sources, int level, int index, int depth, ParameterRange range)
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

        ReadOnlySpan<float> left = TreeSum(sources, level - 1, index * 2, depth, range);
        if (((index * 2) + 1) << (level - 1) >= _plan.Leaves.Leaves)
        {
            return left;
        }

        ReadOnlySpan<float> right = TreeSum(sources, level - 1, (index * 2) + 1, depth + 1, range);
        Span<float> sum = _partialSums.Span.Slice(depth * Chunk, range.Length);
        GradientTree.Add(left, right, sum);
        return sum;
    }

    private static IEnumerable<(ParameterRange, bool)> Segments(ParameterLayout layout, ParameterRange shard)
    {
        foreach (TensorSpec tensor in layout.Tensors)
        {
            int start = Math.Max(tensor.Offset, shard.Offset), end = Math.Min(tensor.Offset + tensor.Length, shard.End);
            if (start < end)
            {
                yield return (new ParameterRange(start, end - start), tensor.Decays);
            }
        }
    }
}
