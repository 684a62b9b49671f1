using Cllm.Model.Checkpoints;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>What a process of several brings to a run: a state of its own, which others fetch parts of.</summary>
public interface INodeHost : IRunHost
{
    /// <summary>Weights and moments.</summary>
    RunState State { get; }

    /// <summary>The checkpoints of this process's folder.</summary>
    CheckpointStore Checkpoints { get; }

    /// <summary>Updates in the newest checkpoint of this process's folder, be it whole or not; 0 when there is none.</summary>
    long NewestCheckpoint { get; }

    /// <summary>Each shard's range of the flat vector.</summary>
    /// <param name="shards">Number of shards, as <see cref="IRunHost.Shards"/> says it.</param>
    IReadOnlyList<ParameterRange> Ranges(int shards);

    /// <summary>Makes the arithmetic of a shard that keeps its summed gradient, or of a copy that is updated with such a sum.</summary>
    /// <param name="shard">Number of the shard, from 0.</param>
    /// <param name="shards">Number of shards.</param>
    /// <param name="kept">The sum, at least as long as the shard; nothing is kept when not given. It stays its owner's.</param>
    IShardCompute CreateShard(int shard, int shards, AlignedBuffer? kept);

    /// <summary>Makes what adds up gradients for other processes; for one thread.</summary>
    IGradientSum CreateSum();
}

/// <summary>Adds gradients over a range of the flat vector in the order of the reduction tree. Used by one thread.</summary>
public interface IGradientSum : IDisposable
{
    /// <summary>The sum of a node's leaves.</summary>
    /// <param name="sources">Gradients that cover every leaf of the node exactly once, in leaf order.</param>
    /// <param name="level">Level of the node.</param>
    /// <param name="index">Position of the node in its level.</param>
    /// <param name="range">At most <see cref="TreeSum.Chunk"/> numbers.</param>
    /// <returns>The sum; good until the next call.</returns>
    /// <exception cref="InvalidOperationException">A leaf is not covered.</exception>
    ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, int level, int index, ParameterRange range);
}
