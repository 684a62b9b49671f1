using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Nodes;

/// <summary>
/// Give <see cref="Messages.CoordinatorStarted"/> of this epoch to every worker and shard of the node: they follow it and announce themselves, again if they
/// did before. Members that are started later are made with this epoch or a later one. Has no answer.
/// </summary>
/// <param name="Epoch">The epoch that the node follows.</param>
public sealed record AnnounceMembers(Epoch Epoch) : Work;

/// <summary>
/// Start a shard on this node under an incarnation, with the slice that the node holds as its replica, or with none; it announces itself. Has no answer, and
/// nothing is done when the shard runs here under this incarnation or a later one.
/// </summary>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">Its incarnation.</param>
public sealed record StartShard(ShardIndex Shard, Incarnation Incarnation) : Work;

/// <summary>The node was refused: it cannot take part in this run.</summary>
/// <param name="Reason">One sentence for its user.</param>
public sealed record NodeRefused(string Reason) : Finish;
