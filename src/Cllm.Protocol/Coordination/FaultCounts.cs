namespace Cllm.Protocol.Coordination;

/// <summary>What a coordinator has lost and made up for. It never gets less while the coordinator lives, and one that follows it begins at nothing.</summary>
/// <param name="WorkersLost">How often a worker was lost.</param>
/// <param name="NodesLost">How often a node was lost.</param>
/// <param name="ShardsLost">How often a shard was lost.</param>
/// <param name="Restores">How often the run went back to a checkpoint.</param>
/// <param name="Epochs">How often an epoch was begun because of it.</param>
public readonly record struct FaultCounts(long WorkersLost, long NodesLost, long ShardsLost, long Restores, long Epochs)
{
    /// <summary>What both have lost.</summary>
    public static FaultCounts operator +(in FaultCounts left, in FaultCounts right) => new(
        left.WorkersLost + right.WorkersLost, left.NodesLost + right.NodesLost, left.ShardsLost + right.ShardsLost,
        left.Restores + right.Restores, left.Epochs + right.Epochs);

    /// <summary>What was lost since.</summary>
    public static FaultCounts operator -(in FaultCounts left, in FaultCounts right) => new(
        left.WorkersLost - right.WorkersLost, left.NodesLost - right.NodesLost, left.ShardsLost - right.ShardsLost,
        left.Restores - right.Restores, left.Epochs - right.Epochs);
}
