using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Nodes;

/// <summary>
/// Give <see cref="Messages.CoordinatorStarted"/> of this epoch to every worker and shard of the node: they follow it and announce themselves, again if they
/// did before. Members that are started later are made with this epoch or a later one. Has no answer.
/// </summary>
/// <param name="Epoch">The epoch that the node follows.</param>
public sealed record AnnounceMembers(Epoch Epoch) : Work;

/// <summary>
/// Start a shard on this node under an incarnation, with a slice that the node holds, as its replica or because the shard has run here under an earlier
/// incarnation, which ends; it announces itself. Of two slices that at the step is taken, else the one further on; with none it starts with none. Has no
/// answer, and nothing is done when the shard runs here under this incarnation or a later one.
/// </summary>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">Its incarnation.</param>
/// <param name="Step">The step at which the slice should stand.</param>
public sealed record StartShard(ShardIndex Shard, Incarnation Incarnation, Step Step) : Work;

/// <summary>Stop a shard that runs on this node under an incarnation below this one, and forget its slice: another node owns it. Has no answer.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Incarnation">Its incarnation at the other node.</param>
public sealed record StopShard(ShardIndex Shard, Incarnation Incarnation) : Work;

/// <summary>The node has left: nothing that it has is needed any more, and its process may end.</summary>
public sealed record NodeLeft : Finish;

/// <summary>The node was refused: it cannot take part in this run.</summary>
/// <param name="Reason">One sentence for its user.</param>
public sealed record NodeRefused(string Reason) : Finish;
