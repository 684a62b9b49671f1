using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Messages;

/// <summary>Order to a node: own this shard from now on, with the slice of it that you hold.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">The incarnation under which it starts there: above all that came before.</param>
/// <param name="Node">The node.</param>
/// <param name="Step">The step at which the run stands, and the slice should.</param>
public sealed record ShardAssigned(Epoch Epoch, ShardIndex Shard, Incarnation Incarnation, NodeId Node, Step Step) : Input, IMessage;

/// <summary>Order to a shard: send your slice to this node, now and after each update.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">The incarnation that it is for.</param>
/// <param name="Replica">The node that holds the copy.</param>
public sealed record ReplicaAssigned(Epoch Epoch, ShardIndex Shard, Incarnation Incarnation, NodeId Replica) : Input, IMessage;

/// <summary>A shard's replica stands at a step. It holds whatever happens to the epoch meanwhile, so none fences it.</summary>
/// <param name="Step">The step of the copy.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">The owner's incarnation.</param>
/// <param name="Replica">The node that holds the copy.</param>
public sealed record ReplicaUpdated(Step Step, ShardIndex Shard, Incarnation Incarnation, NodeId Replica) : Input, IMessage;

/// <summary>A node says which copies it holds, with each announcement: a coordinator that succeeds another knows of none.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Step">The step of the copy.</param>
/// <param name="Node">The node.</param>
public sealed record ReplicaHeld(ShardIndex Shard, Step Step, NodeId Node) : Input, IMessage;
