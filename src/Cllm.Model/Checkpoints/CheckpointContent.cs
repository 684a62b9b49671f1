using Cllm.Model.Shape;

namespace Cllm.Model.Checkpoints;

/// <summary>What a checkpoint holds: the logical state after a step, with no trace of the workers and shards that computed it.</summary>
public readonly ref struct CheckpointContent
{
    /// <summary>Steps committed so far: training goes on with the step of this number, counted from 0.</summary>
    public required long Step { get; init; }

    /// <summary>Where each tensor lies in the three vectors.</summary>
    public required ParameterLayout Layout { get; init; }

    /// <summary>Digest of the run's configuration.</summary>
    public required string ConfigurationDigest { get; init; }

    /// <summary>The flat parameter vector.</summary>
    public required ReadOnlySpan<float> Weights { get; init; }

    /// <summary>Adam's first moments, in the same layout.</summary>
    public required ReadOnlySpan<float> M { get; init; }

    /// <summary>Adam's second moments, in the same layout.</summary>
    public required ReadOnlySpan<float> V { get; init; }
}
