using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Workers;

/// <summary>What a worker is made with.</summary>
public sealed record WorkerSettings
{
    /// <summary>The worker.</summary>
    public required WorkerId Worker { get; init; }

    /// <summary>Its incarnation: one more at each start.</summary>
    public required Incarnation Incarnation { get; init; }

    /// <summary>The node it runs on.</summary>
    public NodeId Node { get; init; }

    /// <summary>The newest epoch that its node has heard of: no order of an earlier one is taken.</summary>
    public Epoch Epoch { get; init; }

    /// <summary>Leases that it holds at most, waiting and answered together; further ones are dropped and come again.</summary>
    public int LeasesMax { get; init; } = 4096;
}
