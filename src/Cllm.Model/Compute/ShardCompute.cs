using System.Diagnostics;
using Cllm.Model.Optimization;
using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;

namespace Cllm.Model.Compute;

/// <summary>
/// One shard's arithmetic: the squared norm of the summed gradient over its range, then AdamW over the same range.
/// The sum over the reduction tree is never written to memory: both passes add the workers' buffers block by block in cache, which for the
/// few sources of one process costs less than writing the sum and reading it again.
/// </summary>
public sealed class ShardCompute : IShardCompute
{
    private const int Chunk = TreeSum.Chunk;

    private readonly RunPlan _plan;
    private readonly RunState _state;
    private readonly ParameterRange _range;
    private readonly TreeSum _sum;
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
        _sum = new TreeSum(plan.Leaves);
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
                norm += SquaredNorm.Sum(_sum.Add(sources, new ParameterRange(offset, Math.Min(Chunk, end - offset))));
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
                ReadOnlySpan<float> gradient = _sum.Add(sources, new ParameterRange(offset, count));
                AdamW.Update(weights.Slice(offset, count), m.Slice(offset, count), v.Slice(offset, count), gradient, adam, decays);
            }
        }

        Times.End(Phase.AdamW, began);
    }

    /// <inheritdoc/>
    public void Dispose() => _sum.Dispose();

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
