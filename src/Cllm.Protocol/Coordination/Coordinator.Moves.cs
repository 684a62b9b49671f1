using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Coordination;

/// <content>
/// Shards that go to another node although their owner is there: because it is to leave, or because another node has at least two fewer. The replica is put on
/// the other node first; as soon as it stands at the run's step, and before that step's reduction, the other node becomes the owner. No step is lost or done
/// twice, and one shard moves at a time.
/// </content>
public sealed partial class Coordinator
{
    private const int StepsBetweenMovesMax = 64;

    /// <summary>The shard whose copy is awaited on the node that it moves to; none when none moves.</summary>
    private ShardMember? _moving;

    private NodeId _movingTo;

    /// <summary>Steps to wait after a move that did not come about, twice as many each time.</summary>
    private int _stepsBetweenMoves = 1;

    private Step _nextMove;

    /// <summary>Whether all slices stand at the step and nobody reads or changes them.</summary>
    private bool AreSlicesAtRest => Phase is CoordinatorPhase.Computing or CoordinatorPhase.Paused or CoordinatorPhase.AwaitingMembers;

    private bool MayHold(NodeId node) => _nodes.TryGetValue(node.Number, out var member) && member is { IsLive: true, IsLeaving: false };

    private DropReason LeaveNode(NodeId node, bool isAsked)
    {
        if (!_nodes.TryGetValue(node.Number, out var member) || !member.IsLive)
        {
            SayOnce($"node {node} cannot leave: it is not there");
            return isAsked ? DropReason.Known : DropReason.NotAdmitted;
        }

        if (member.IsDrained)
        {
            Tell(Destination.Of(node), new NodeDrained(Fence.Epoch, node));
        }

        if (member.IsLeaving)
        {
            return DropReason.Known;
        }

        member.IsLeaving = true;
        Say($"node {node} is to leave at step {Fence.Step}");
        if (isAsked)
        {
            Tell(Destination.Of(node), new NodeAdmitted(Fence.Epoch, node, IsLeaving: true));
        }

        foreach (var worker in _workers.Values)
        {
            if (worker is { IsLive: true, IsLeaving: false } && worker.Node == node)
            {
                LetGo(worker);
            }
        }

        return DropReason.None;
    }

    /// <summary>Tells nodes that are to leave that they may, once nothing is there that the run needs. As long as a shard is not heard of, it may be there.</summary>
    private void DrainNodes()
    {
        foreach (var node in _nodes.Values)
        {
            if (node is { IsLive: true, IsLeaving: true, IsDrained: false } && AreShardsKnown()
                && !Array.Exists(_shards, shard => shard.IsLive && shard.Node == node.Node)
                && !_workers.Values.Any(worker => worker.IsLive && worker.Node == node.Node))
            {
                node.IsDrained = true;
                Say($"node {node.Node} has nothing left at step {Fence.Step} and may go");
                Tell(Destination.Of(node.Node), new NodeDrained(Fence.Epoch, node.Node));
            }
        }
    }

    /// <summary>Whether every shard is heard of, or is nobody's because the run has yet to begin.</summary>
    private bool AreShardsKnown() => Array.TrueForAll(
        _shards, shard => shard.IsLive || (!_settings.IsSuccessor && shard.Incarnation.Number == 0 && shard.AssignedTo is null));

    /// <summary>Begins to move a shard, if one is to be.</summary>
    /// <param name="mayWait">Whether the step's reduction may wait for the copy; else only one that is there already is moved.</param>
    private void PlanMove(bool mayWait)
    {
        if (_moving is not null || _nodes.Count == 0 || !AreSlicesAtRest || !AreShardsLive() || _restoreReason is not null)
        {
            return;
        }

        mayWait &= Fence.Step.Number >= _nextMove.Number;
        if (FindMove(mayWait) is not var (shard, to, reason))
        {
            return;
        }

        (_moving, _movingTo) = (shard, to);
        Say($"shard {shard.Shard} moves from node {shard.Node} to node {to} at step {Fence.Step}: {reason}");
        if (shard.Replica != to)
        {
            (shard.Replica, shard.ReplicaStep) = (to, null);
            TellReplica(shard, to);
        }

        MoveIfCopied();
    }

    private (ShardMember Shard, NodeId To, string Reason)? FindMove(bool mayWait)
    {
        foreach (var shard in _shards)
        {
            if (!MayHold(shard.Node) && TargetOf(shard) is { } to && (mayWait || IsCopied(shard, to)))
            {
                return (shard, to, "its node is to leave");
            }
        }

        return mayWait ? FindUneven() : null;
    }

    private NodeId? TargetOf(ShardMember shard) =>
        shard.Replica is { } replica && MayHold(replica) ? replica : NodeWithFewestShards() is { } other && MayHold(other) ? other : null;

    /// <summary>
    /// A shard of the node with most of them, preferably one that has its copy where it goes, and one far from those that are there: gradients of the vector's end
    /// are there to be fetched long before those of its start, so each node should own some of both.
    /// </summary>
    private (ShardMember Shard, NodeId To, string Reason)? FindUneven()
    {
        if (NodeWithFewestShards() is not { } fewest)
        {
            return null;
        }

        var (most, shards) = (fewest, ShardsAt(fewest) + 1);
        foreach (var node in _nodes.Values)
        {
            (most, shards) = MayHold(node.Node) && ShardsAt(node.Node) > shards ? (node.Node, ShardsAt(node.Node)) : (most, shards);
        }

        if (most == fewest)
        {
            return null;
        }

        var shard = _shards.Where(shard => shard.Node == most).MaxBy(shard => (shard.Replica == fewest, DistanceTo(fewest, shard)))!;
        return (shard, fewest, $"that one has {ShardsAt(fewest)} and this one {shards}");
    }

    /// <summary>How many shards further on or back a node's nearest shard is; as many as there are when it has none.</summary>
    private int DistanceTo(NodeId node, ShardMember shard)
    {
        var distance = _shards.Length;
        foreach (var other in _shards)
        {
            distance = other.Node == node ? Math.Min(distance, Math.Abs(other.Shard.Number - shard.Shard.Number)) : distance;
        }

        return distance;
    }

    private bool IsCopied(ShardMember shard, NodeId at) => shard.Replica == at && shard.ReplicaStep == Fence.Step;

    private void MoveIfCopied()
    {
        if (_moving is { } shard && AreSlicesAtRest && IsCopied(shard, _movingTo))
        {
            (_moving, _stepsBetweenMoves) = (null, 1);
            (shard.MovedFrom, shard.IsLive) = (shard.Node, false);
            Assign(shard, _movingTo);
        }
    }

    /// <summary>The node that a shard goes to, or the shard itself, is lost: nothing is given up by that, for the owner is as it was.</summary>
    private void ForgetMove()
    {
        if (_moving is { } shard && (!shard.IsLive || shard.Replica != _movingTo || !MayHold(_movingTo)))
        {
            _moving = null;
        }
    }

    /// <summary>The copy has not come about for so long that the step goes on without the move.</summary>
    private void PostponeMove()
    {
        if (_moving is { } shard && _leases.Complete)
        {
            _moving = null;
            _nextMove = new(Fence.Step.Number + _stepsBetweenMoves);
            _stepsBetweenMoves = Math.Min(2 * _stepsBetweenMoves, StepsBetweenMovesMax);
            Say($"shard {shard.Shard} stays at node {shard.Node} until step {_nextMove}: its copy at node {_movingTo} does not get done");
        }
    }
}
