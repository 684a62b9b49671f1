namespace Cllm.Model.Compute;

/// <summary>A shard's arithmetic on its range of the flat parameter vector. Called by one thread at a time.</summary>
public interface IShardCompute : IDisposable
{
    /// <summary>Blocks of the shard's range whose squared norms are summed one by one.</summary>
    int Blocks { get; }

    /// <summary>
    /// Adds the shard's range of the sources in tree order, as far as the norms need it. Changes no weight: it may be done again.
    /// </summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="sources">Nodes that cover every leaf exactly once, in leaf order.</param>
    /// <param name="blockNorms">Gets each block's squared norm: (Blocks).</param>
    void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms);

    /// <summary>Updates weights and optimizer state of the range. An exception on the way leaves them half updated.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="sources">Those of the reduction.</param>
    /// <param name="scalars">The step's scalars.</param>
    void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars);
}
