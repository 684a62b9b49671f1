namespace Cllm.Simulation.Cluster;

/// <summary>A worker's place on a machine, which outlives the actors and processes that take it.</summary>
internal sealed class WorkerSeat(SimulatedNode node)
{
    /// <summary>The worker's number: another one in each process of a cluster.</summary>
    public int Number { get; set; }

    /// <summary>The node whose processes start its actor.</summary>
    public SimulatedNode Node => node;

    /// <summary>The newest incarnation's number; it only grows.</summary>
    public long Incarnation { get; set; }

    /// <summary>The actor; none while it is not running.</summary>
    public WorkerHost? Actor { get; set; }

    /// <summary>Whether it was asked to leave.</summary>
    public bool WantsToLeave { get; set; }

    /// <summary>Whether it has left: nobody starts it again.</summary>
    public bool HasLeft { get; set; }
}

/// <summary>A shard's place in one process. Another process may have been given the shard meanwhile.</summary>
internal sealed class ShardSeat(int number, SimulatedNode node)
{
    public int Number => number;

    public SimulatedNode Node => node;

    /// <summary>The process that it is in.</summary>
    public SimulatedProcess Process { get; } = node.Process!;

    /// <summary>The newest incarnation's number.</summary>
    public long Incarnation => Process.Run.Shards[number].Incarnation;

    public ShardHost? Actor { get; set; }

    /// <summary>The step at which its slice stands; none when it is missing or half updated.</summary>
    public long? Slice => Process.Run.Shards[number].Slice?.Number;
}

/// <summary>A coordinator's place in a process, which its actor's successors in that process take.</summary>
internal sealed class CoordinatorPlace
{
    public CoordinatorHost? Actor { get; set; }

    /// <summary>Whether a checkpoint is being written.</summary>
    public bool IsWriting { get; set; }
}
