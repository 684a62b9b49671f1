using Akka.Actor;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>
/// The nodes that have announced themselves to the run's coordinator, and which of them may coordinate it. A static quorum bears the loss of a member only while at
/// least so many of those that may coordinate are members, and strikes off everybody while there are more than it was made for. So a run begins when all are
/// there and know that they count, and one too many is not taken in. Used by the coordinator's actor.
/// </summary>
/// <param name="self">The node of this process.</param>
/// <param name="quorum">A majority of the processes that may coordinate.</param>
internal sealed class NodeSeats(NodeId self, int quorum)
{
    private readonly Dictionary<int, NodeSeat> _nodes = [];

    /// <summary>How many processes may coordinate, and no more: of so many, the quorum is a majority.</summary>
    public int Count { get; } = (2 * quorum) - 1;

    /// <summary>How many of them are not there, or do not know yet that they are members.</summary>
    public int Missing => Count - _nodes.Values.Count(seat => seat is { IsLive: true, MayCoordinate: true, IsMember: true });

    /// <summary>Whether another process could take the run over now, and stays.</summary>
    /// <param name="isLeaving">Whether a node is to go: the run would be handed to it only to be gone with it.</param>
    public bool IsSuccessorThere(Func<NodeId, bool> isLeaving) =>
        _nodes.Values.Any(seat => seat is { IsLive: true, MayCoordinate: true, IsMember: true } && seat.Node != self && !isLeaving(seat.Node));

    /// <summary>All that were ever there, at their newest actors.</summary>
    public IEnumerable<NodeSeat> All => _nodes.Values;

    /// <summary>Where a number is, or was.</summary>
    public NodeSeat? At(int node) => _nodes.GetValueOrDefault(node);

    /// <summary>Whether this actor is the one that has announced the node, and it is not lost since.</summary>
    public bool IsAt(NodeId node, IActorRef actor) => At(node.Number) is { IsLive: true } seat && seat.Actor.Equals(actor);

    /// <summary>Whether a node is one too many. Who took the place of one that is not known to be lost yet has its address.</summary>
    public bool IsSurplus(NodeLocated located, Address address) =>
        located.MayCoordinate && located.Node != self
        && 1 + _nodes.Values.Count(seat => seat is { IsLive: true, MayCoordinate: true } && seat.Node != self && seat.Address != address) >= Count;

    /// <summary>A node is there, for the first time or again.</summary>
    public NodeSeat Add(NodeLocated located, IActorRef actor, Address address) =>
        _nodes[located.Node.Number] = new(located.Node, actor, address) { IsLive = true, MayCoordinate = located.MayCoordinate };
}

/// <summary>Where a node is, or was.</summary>
internal sealed class NodeSeat(NodeId node, IActorRef actor, Address address)
{
    public NodeId Node => node;

    public IActorRef Actor => actor;

    public Address Address => address;

    /// <summary>Whether it has announced itself since it was lost.</summary>
    public bool IsLive { get; set; }

    /// <summary>Whether its process may coordinate.</summary>
    public bool MayCoordinate { get; init; }

    /// <summary>Whether it knows that it counts in the membership.</summary>
    public bool IsMember { get; set; }
}
