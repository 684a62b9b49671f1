using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Coordination;

/// <summary>What the coordinator knows of one worker or shard.</summary>
internal abstract class Member
{
    /// <summary>Its newest incarnation; 0 before the first.</summary>
    public Incarnation Incarnation { get; set; }

    /// <summary>The node that incarnation runs on.</summary>
    public NodeId Node { get; set; }

    /// <summary>Whether that incarnation is there.</summary>
    public bool IsLive { get; set; }

    /// <summary>Whether it was given up because it did not answer: any sign of it brings it back.</summary>
    public bool IsSilent { get; set; }

    /// <summary>How often it was lost since the run's last new step.</summary>
    public int Failures { get; set; }

    /// <summary>How often it was lost since it was first heard of.</summary>
    public int FailuresInAll { get; set; }
}

/// <summary>What the coordinator knows of one worker.</summary>
internal sealed class WorkerMember(WorkerId worker, int timesMax) : Member
{
    /// <summary>Leases that it has not answered and that are not void, in the order given: it is at the first one.</summary>
    public List<LeaseId> Open { get; } = [];

    /// <summary>Since when it is at the first one.</summary>
    public long BusySinceTicks { get; set; }

    /// <summary>Leaves that it computed and that counted.</summary>
    public long LeavesAnswered { get; set; }

    /// <summary>What its leaves took.</summary>
    public LeafTimes Times { get; } = new(timesMax);

    /// <summary>Whether it came while a step was under way: until the next one it may take over what others have not begun.</summary>
    public bool IsJoining { get; set; }

    /// <summary>How many steps it was passed over when it last owed an answer; 0 when it answered in time since.</summary>
    public int StepsPassedOver { get; set; }

    /// <summary>The step in which it is leased something again; none when it owes nothing.</summary>
    public Step? PassedOverUntil { get; set; }

    /// <summary>Whether it was said that it is late, and it has not been in time since.</summary>
    public bool IsLateSaid { get; set; }

    /// <summary>Whether it may be leased something: passed over it is not, unless there is nobody else.</summary>
    public bool IsAssignable => IsLive && !IsLeaving;

    /// <summary>The worker.</summary>
    public WorkerId Worker => worker;

    /// <summary>Whether it wants to go and is leased nothing more.</summary>
    public bool IsLeaving { get; set; }
}

/// <summary>What the coordinator knows of one shard.</summary>
internal sealed class ShardMember(ShardIndex shard) : Member
{
    /// <summary>The shard.</summary>
    public ShardIndex Shard => shard;

    /// <summary>What it answered to the reduction order of this epoch and step.</summary>
    public Payload? Reduced { get; set; }

    /// <summary>Whether it has answered the commit of this step.</summary>
    public bool IsUpdated { get; set; }

    /// <summary>Whether it was told to update and may be at it.</summary>
    public bool IsUpdating { get; set; }

    /// <summary>The step at which its slice stood when it announced itself.</summary>
    public Step? Slice { get; set; }

    /// <summary>The node that was ordered to own it; none when it announced itself unasked.</summary>
    public NodeId? AssignedTo { get; set; }

    /// <summary>The node that has given it up and keeps it until the one that it is given to has started it; none when it is not being moved.</summary>
    public NodeId? MovedFrom { get; set; }

    /// <summary>The node that holds its copy; none when there is no other node.</summary>
    public NodeId? Replica { get; set; }

    /// <summary>The step of the copy; none before the first.</summary>
    public Step? ReplicaStep { get; set; }
}

/// <summary>What the coordinator knows of one node that was admitted.</summary>
internal sealed class NodeMember(NodeId node)
{
    /// <summary>The node.</summary>
    public NodeId Node => node;

    /// <summary>Whether it is there.</summary>
    public bool IsLive { get; set; }

    /// <summary>Whether it is to go: it gets nothing more.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Whether it was told that it may go.</summary>
    public bool IsDrained { get; set; }
}
