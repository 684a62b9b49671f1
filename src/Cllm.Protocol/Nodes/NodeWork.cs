using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Nodes;

/// <summary>Give <see cref="MachineStarted"/> to every worker and shard of the node: they announce themselves, again if they did before. Has no answer.</summary>
public sealed record AnnounceMembers : Work;

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
