using Cllm.Protocol.Identity;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Coordination;

/// <summary>What a coordinator knows at one moment, for whoever inspects a run. Times are of the coordinator's clock, in units of 100 nanoseconds.</summary>
/// <param name="NowTicks">The moment.</param>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step that is worked on: all before it are committed.</param>
/// <param name="StepsInAll">Steps of the whole run.</param>
/// <param name="Checkpointed">The newest step whose state is in a checkpoint or on its way into one, or that the run began with.</param>
/// <param name="Phase">What it is at.</param>
/// <param name="Wait">What it waits for; none when the run has ended.</param>
/// <param name="Workers">All workers that are known, in order of their numbers.</param>
/// <param name="Nodes">All nodes that are known, in order of their numbers; none in a single process.</param>
/// <param name="Shards">All shards of the run.</param>
/// <param name="Leases">Leases given and neither answered nor void.</param>
/// <param name="Survived">What went wrong so far.</param>
public sealed record CoordinatorView(
    long NowTicks, Epoch Epoch, Step Step, long StepsInAll, Step Checkpointed, CoordinatorPhase Phase, WaitView? Wait,
    WorkerView[] Workers, NodeView[] Nodes, ShardView[] Shards, LeaseView[] Leases, SurvivedView Survived)
{
    /// <summary>The last step that is committed; none before the first.</summary>
    public Step? LastCommitted => Step.Number > 0 ? new(Step.Number - 1) : null;
}

/// <summary>What a run waits for: "who, to what, since when".</summary>
/// <param name="Who">As in <c>shard 1, shard 4</c>.</param>
/// <param name="What">As in <c>to update</c>.</param>
/// <param name="SinceTicks">When it last got on.</param>
public sealed record WaitView(string Who, string What, long SinceTicks);

/// <summary>One worker.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Node">The node it runs on.</param>
/// <param name="Incarnation">Its newest incarnation.</param>
/// <param name="IsLive">Whether that incarnation is there.</param>
/// <param name="IsLeaving">Whether it wants to go, or has gone.</param>
/// <param name="IsJoining">Whether it came during this step.</param>
/// <param name="IsPassedOver">Whether it is leased nothing because it was outrun and owes its answer.</param>
/// <param name="LeasesOpen">Leases that it has yet to answer.</param>
/// <param name="LeavesAnswered">Leaves that it computed and that counted.</param>
/// <param name="MedianTicksPerLeaf">Median of its last leaves; none before the first.</param>
/// <param name="Failures">How often it was lost.</param>
public sealed record WorkerView(
    WorkerId Worker, NodeId Node, Incarnation Incarnation, bool IsLive, bool IsLeaving, bool IsJoining, bool IsPassedOver,
    int LeasesOpen, long LeavesAnswered, long? MedianTicksPerLeaf, int Failures);

/// <summary>One node.</summary>
/// <param name="Node">The node.</param>
/// <param name="IsLive">Whether it is there.</param>
/// <param name="IsLeaving">Whether it is to go, and gets nothing more.</param>
/// <param name="IsDrained">Whether it has nothing left and was told that it may go.</param>
public sealed record NodeView(NodeId Node, bool IsLive, bool IsLeaving, bool IsDrained);

/// <summary>One shard.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Owner">The node that owns it, or is to; none when it has none.</param>
/// <param name="Incarnation">Its newest incarnation.</param>
/// <param name="IsLive">Whether that incarnation is there.</param>
/// <param name="Slice">The step at which its slice stands; none when that is not known, or it is being updated.</param>
/// <param name="Replica">The node that holds its copy; none when there is no other node.</param>
/// <param name="ReplicaStep">The step of the copy; none before the first.</param>
/// <param name="MovesTo">The node that it is being copied to in order to move there; none when it stays.</param>
/// <param name="Failures">How often it was lost.</param>
public sealed record ShardView(
    ShardIndex Shard, NodeId? Owner, Incarnation Incarnation, bool IsLive, Step? Slice, NodeId? Replica, Step? ReplicaStep, NodeId? MovesTo, int Failures);

/// <summary>A lease that has no answer yet.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Worker">Who has it.</param>
/// <param name="Node">The leaves; none for held-out units.</param>
/// <param name="First">First leaf or unit.</param>
/// <param name="Count">Number of leaves or units.</param>
/// <param name="AgeTicks">Time since it was given.</param>
/// <param name="IsCopy">Whether it was given beside another one, whose worker is late.</param>
public sealed record LeaseView(LeaseId Lease, WorkerId Worker, LeafNode? Node, int First, int Count, long AgeTicks, bool IsCopy);

/// <summary>What went wrong and was made up for, since this coordinator began.</summary>
/// <param name="Faults">How often what went wrong.</param>
/// <param name="Dropped">Inputs that were dropped, by reason; only reasons that came up.</param>
public sealed record SurvivedView(FaultCounts Faults, DroppedView[] Dropped);

/// <summary>Inputs that were dropped for one reason.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How many.</param>
public sealed record DroppedView(DropReason Reason, long Count);
