using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Messages;

/// <summary>A worker is there, for the first time or again: whatever an earlier incarnation of it held is gone.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Incarnation">Its incarnation.</param>
/// <param name="Node">The node it runs on.</param>
public sealed record WorkerStarted(WorkerId Worker, Incarnation Incarnation, NodeId Node) : Input, IMessage;

/// <summary>A worker wants to go: it finishes what it was leased, is leased nothing more, and stays until it is let go.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Incarnation">Its incarnation.</param>
public sealed record WorkerLeaving(WorkerId Worker, Incarnation Incarnation) : Input, IMessage;

/// <summary>Answer to <see cref="WorkerLeaving"/>: nothing the worker holds is needed any more.</summary>
/// <param name="Epoch">The epoch in which that is so: a coordinator that has a successor does not know what that one needs.</param>
/// <param name="Worker">The worker.</param>
/// <param name="Incarnation">Its incarnation.</param>
public sealed record LeaveGranted(Epoch Epoch, WorkerId Worker, Incarnation Incarnation) : Input, IMessage;

/// <summary>A shard is there, for the first time or again.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">Its incarnation.</param>
/// <param name="Node">The node it runs on.</param>
/// <param name="Slice">
/// The step at which its slice of weights and optimizer state stands; none when the slice is missing or half updated.
/// </param>
public sealed record ShardStarted(ShardIndex Shard, Incarnation Incarnation, NodeId Node, Step? Slice) : Input, IMessage;

/// <summary>The host has found that a worker is gone.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Incarnation">The incarnation that is gone.</param>
/// <param name="Reason">How the host knows, or what the worker failed of.</param>
public sealed record WorkerLost(WorkerId Worker, Incarnation Incarnation, string Reason) : Input, IMessage;

/// <summary>The host has found that a shard is gone.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">The incarnation that is gone.</param>
/// <param name="Reason">How the host knows, or what the shard failed of.</param>
public sealed record ShardLost(ShardIndex Shard, Incarnation Incarnation, string Reason) : Input, IMessage;

/// <summary>The host has found that a node is gone, with all its workers and shards.</summary>
/// <param name="Node">The node.</param>
/// <param name="Reason">How the host knows.</param>
public sealed record NodeLost(NodeId Node, string Reason) : Input;

/// <summary>Finish the step, write a checkpoint, end the run.</summary>
public sealed record StopRequested : Input, IMessage;

/// <summary>Write a checkpoint at the next step boundary.</summary>
public sealed record CheckpointRequested : Input, IMessage;

/// <summary>Finish the step, then wait.</summary>
public sealed record PauseRequested : Input, IMessage;

/// <summary>Go on after a pause.</summary>
public sealed record ResumeRequested : Input, IMessage;

/// <summary>A node wants to take part. Its workers and shards announce themselves once it is admitted.</summary>
/// <param name="Node">The node: a number that no other process has or had.</param>
/// <param name="Run">What it was set up for.</param>
public sealed record NodeJoining(NodeId Node, RunIdentity Run) : Input, IMessage;

/// <summary>Answer to <see cref="NodeJoining"/>: the node takes part, and its workers and shards are to announce themselves, again if they did before.</summary>
/// <param name="Epoch">The coordinator's epoch: whoever announces itself because of this answer takes no orders of an earlier one any more.</param>
/// <param name="Node">The node.</param>
/// <param name="IsLeaving">Whether it is to go: then it asks for that itself from now on, so that a successor hears of it too.</param>
public sealed record NodeAdmitted(Epoch Epoch, NodeId Node, bool IsLeaving) : Input, IMessage;

/// <summary>Answer to <see cref="NodeJoining"/>: the node does not take part.</summary>
/// <param name="Node">The node.</param>
/// <param name="Reason">One sentence for its user: what differs, and what to do.</param>
public sealed record JoinRefused(NodeId Node, string Reason) : Input, IMessage;

/// <summary>A coordinator has begun: whoever it reaches follows its epoch and announces itself, with the state that it is in.</summary>
/// <param name="Epoch">Its first epoch.</param>
public sealed record CoordinatorStarted(Epoch Epoch) : Input, IMessage;
