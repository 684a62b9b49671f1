namespace Cllm.Simulation.Cluster;

/// <summary>A worker's place in the cluster, which outlives the actors that take it.</summary>
internal sealed class WorkerSeat(int number, SimulatedNode node)
{
    public int Number => number;

    /// <summary>The node whose processes start its actor.</summary>
    public SimulatedNode Node { get; set; } = node;

    /// <summary>The newest incarnation's number; it only grows.</summary>
    public long Incarnation { get; set; }

    /// <summary>The actor; none while it is not running.</summary>
    public WorkerHost? Actor { get; set; }

    /// <summary>Whether it was asked to leave.</summary>
    public bool WantsToLeave { get; set; }

    /// <summary>Whether it has left: nobody starts it again.</summary>
    public bool HasLeft { get; set; }
}

/// <summary>A shard's place in one process, with the state of its slice. Another process may have been given the shard meanwhile.</summary>
internal sealed class ShardSeat(int number, SimulatedNode node)
{
    public int Number => number;

    public SimulatedNode Node => node;

    public long Incarnation { get; set; }

    public ShardHost? Actor { get; set; }

    /// <summary>The step at which its slice stands; none when it is missing or half updated.</summary>
    public long? Slice { get; set; }

    /// <summary>The slice's content while another place's counts; none when it is rubbish.</summary>
    public object? Copy { get; set; }
}
