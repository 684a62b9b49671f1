using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Messages;

/// <summary>An operator wants a node to go: its workers are let go, its shards move to other nodes, and then it is told that it may end.</summary>
/// <param name="Node">The node.</param>
public sealed record DrainRequested(NodeId Node) : Input, IMessage;

/// <summary>A node wants to go, and says so with each announcement until it is told that it may.</summary>
/// <param name="Node">The node.</param>
public sealed record NodeLeaving(NodeId Node) : Input, IMessage;

/// <summary>Answer to <see cref="NodeLeaving"/>: the node has no worker and no shard any more that the run needs, and its process may end.</summary>
/// <param name="Epoch">The coordinator's epoch.</param>
/// <param name="Node">The node.</param>
public sealed record NodeDrained(Epoch Epoch, NodeId Node) : Input, IMessage;

/// <summary>News for a node: a shard that it owned is owned by another now, which has started it with its state.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">The incarnation under which the other node has it.</param>
/// <param name="Node">The node that owned it.</param>
public sealed record ShardMoved(Epoch Epoch, ShardIndex Shard, Incarnation Incarnation, NodeId Node) : Input, IMessage;
