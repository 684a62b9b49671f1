using System.Diagnostics;
using Cllm.Model.Optimization;
using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>
/// One shard's arithmetic: the squared norm of the summed gradient over its range, then AdamW over the same range.
/// The sum over the reduction tree is written to memory only where somebody else needs it as well: else both passes add the workers' buffers as they read them,
/// which for the few sources of one process costs less than writing the sum and reading it again.
/// </summary>
public sealed class ShardCompute : IShardCompute
{
    private const int Chunk = TreeSum.Chunk;

    private readonly RunPlan _plan;
    private readonly RunState _state;
    private readonly ParameterRange _range;
    private readonly TreeSum _sum;
    private readonly AlignedBuffer? _kept;
    private readonly (ParameterRange Range, bool Decays)[] _segments;

    /// <summary>Prepares the shard.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="state">Weights and moments; this shard writes only its range of them.</param>
    /// <param name="range">Whole norm blocks of the flat vector.</param>
    /// <param name="kept">
    /// Gets the summed gradient of each reduction, from its start, and is what the update reads instead of sources, be it this shard's own sum or a copy of one:
    /// at least as long as the range. It stays its owner's.
    /// </param>
    public ShardCompute(RunPlan plan, RunState state, ParameterRange range, AlignedBuffer? kept = null)
    {
        _kept = kept;
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
                int count = Math.Min(Chunk, end - offset);
                LastAddition gradient = _sum.Last(sources, new ParameterRange(offset, count));
                if (_kept is not null)
                {
                    gradient.WriteTo(Kept(offset, count));
                    gradient = new(Kept(offset, count));
                }

                norm += SquaredNorm.Sum(gradient.Left, gradient.Right);
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
                LastAddition gradient = _kept is null ? _sum.Last(sources, new ParameterRange(offset, count)) : new(Kept(offset, count));
                AdamW.Update(
                    weights.Slice(offset, count), m.Slice(offset, count), v.Slice(offset, count), gradient.Left, gradient.Right, adam, decays);
            }
        }

        Times.End(Phase.AdamW, began);
    }

    /// <inheritdoc/>
    public void Dispose() => _sum.Dispose();

    private Span<float> Kept(int offset, int count) => _kept!.Span.Slice(offset - _range.Offset, count);

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
