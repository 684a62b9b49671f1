using Cllm.Protocol;
using Cllm.Protocol.Identity;

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
internal sealed class ShardSeat
{
    public ShardSeat(SimulatedCluster cluster, int number, SimulatedNode node)
    {
        (Number, Node, Process) = (number, node, node.Process!);
        Ref = new(cluster, node, Destination.Of(new ShardIndex(number)), this);
    }

    public int Number { get; }

    public SimulatedNode Node { get; }

    /// <summary>The process that it is in.</summary>
    public SimulatedProcess Process { get; }

    /// <summary>How others reach whichever actor has the place.</summary>
    public SimulatedRef Ref { get; }

    /// <summary>The newest incarnation's number.</summary>
    public long Incarnation => Process.Run.Shards[Number].Incarnation;

    public ShardHost? Actor { get; set; }

    /// <summary>Whether the actor takes nothing any more, and is no more as soon as it has ended what it is at.</summary>
    public bool IsStopping { get; set; }

    /// <summary>The step at which its slice stands; none when it is missing or half updated.</summary>
    public long? Slice => Process.Run.Shards[Number].Slice?.Number;
}

/// <summary>A coordinator's place in a process, which its actor's successors in that process take.</summary>
internal sealed class CoordinatorPlace
{
    public CoordinatorHost? Actor { get; set; }

    /// <summary>The step of the checkpoint that is being written; none most of the time.</summary>
    public Step? Writing { get; set; }
}
