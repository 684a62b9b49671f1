using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Shards;

/// <summary>What a shard is made with.</summary>
public sealed record ShardSettings
{
    /// <summary>The shard.</summary>
    public required ShardIndex Shard { get; init; }

    /// <summary>Its incarnation: one more at each start.</summary>
    public required Incarnation Incarnation { get; init; }

    /// <summary>The node it runs on.</summary>
    public NodeId Node { get; init; }

    /// <summary>The newest epoch that its node has heard of: no order of an earlier one is taken.</summary>
    public Epoch Epoch { get; init; }

    /// <summary>The step at which its slice stands; none when the slice is missing or half updated.</summary>
    public required Step? Slice { get; init; }
}
