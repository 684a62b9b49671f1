using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Coordination;

/// <content>
/// Nodes that asked to take part, and what they are given: shards that nobody owns, and copies of shards that others own. In a single process no node asks, the
/// shards are there by themselves, and no copy is made.
/// </content>
public sealed partial class Coordinator
{
    private readonly SortedDictionary<int, NodeMember> _nodes = [];

    /// <summary>Until then a coordinator that succeeds another gives no shard to a node: its owner may be about to announce it.</summary>
    private long _settledTicks;

    private bool IsAtNode(NodeId node) => _nodes.TryGetValue(node.Number, out var member) && member.IsLive;

    private DropReason JoinNode(NodeJoining joining)
    {
        var to = Destination.Of(joining.Node);
        if (ReasonToRefuse(joining) is { } reason)
        {
            Tell(to, new JoinRefused(joining.Node, reason));
            SayOnce($"node {joining.Node} is refused: {reason}");
            return DropReason.Known;
        }

        var isKnown = _nodes.TryGetValue(joining.Node.Number, out var member);
        Tell(to, new NodeAdmitted(Fence.Epoch, joining.Node, isKnown && member!.IsLeaving));
        if (isKnown && member!.IsLive)
        {
            AssignShards();
            return DropReason.Known;
        }

        member ??= new(joining.Node);
        (_nodes[joining.Node.Number], member.IsLive) = (member, true);
        Say($"node {joining.Node} joins at step {Fence.Step}");
        return DropReason.None;
    }

    private string? ReasonToRefuse(NodeJoining joining)
    {
        if (_settings.Run is { } run && run.DifferenceTo(joining.Run) is { } difference)
        {
            return difference;
        }

        if (_nodes.ContainsKey(joining.Node.Number) || _nodes.Count < _settings.NodesMax)
        {
            return null;
        }

        foreach (var member in _nodes.Values)
        {
            if (!member.IsLive)
            {
                _nodes.Remove(member.Node.Number);
                return null;
            }
        }

        return $"{_settings.NodesMax} nodes take part, which is the limit; wait until one has left";
    }

    /// <summary>Has shards started that nobody owns any more: where the copy is, else where fewest are.</summary>
    private void AssignShards()
    {
        var isEarly = Phase == CoordinatorPhase.Assembling && (!AreEnoughThere || _nowTicks < _settledTicks);
        if (isEarly || Phase == CoordinatorPhase.Ended || NodeWithFewestShards() is not { } fewest)
        {
            return;
        }

        List<(ShardIndex Shard, string Where)>? news = null;
        foreach (var shard in _shards)
        {
            if (IsOwnerless(shard))
            {
                // That a run which begins gives its shards to nodes is no news, and neither is that nobody has a copy yet.
                var isFirst = shard.Incarnation.Number == 0 && !_settings.IsSuccessor;
                var where = AssignOwnerless(shard, fewest);
                if (!isFirst)
                {
                    (news ??= []).Add((shard.Shard, where));
                }

                fewest = NodeWithFewestShards()!.Value;
            }
        }

        if (news is not null)
        {
            SayGiven(news);
        }
    }

    /// <summary>One sentence for all shards of which there is the same to say.</summary>
    private void SayGiven(List<(ShardIndex Shard, string Where)> given)
    {
        foreach (var same in given.GroupBy(one => one.Where, one => $"shard {one.Shard}"))
        {
            string[] shards = [.. same];
            Say($"{Join(shards)} {(shards.Length == 1 ? "goes" : "go")} to {same.Key}, at step {Fence.Step}");
        }
    }

    private int LiveNodes
    {
        get
        {
            var count = 0;
            foreach (var node in _nodes.Values)
            {
                count += node is { IsLive: true, IsLeaving: false } ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>A shard that failed is started again by its node; one whose node is gone, or that is silent, is not waited for.</summary>
    private bool IsOwnerless(ShardMember shard) =>
        !shard.IsLive && (shard.AssignedTo is { } node ? !IsAtNode(node) : shard.IsSilent || shard.Incarnation.Number == 0 || !IsAtNode(shard.Node));

    /// <returns>Where it goes, in words.</returns>
    private string AssignOwnerless(ShardMember shard, NodeId fewest)
    {
        var (node, copy) = shard.MovedFrom is { } owner && IsAtNode(owner) ? (owner, "which has it yet")
            : shard.Replica is { } replica && IsAtNode(replica) ? (replica, shard.ReplicaStep is { } step ? $"whose copy stands at step {step}" : "which has no copy")
            : (fewest, "which has no copy");
        Assign(shard, node);
        return $"node {node}, {copy}";
    }

    private void Assign(ShardMember shard, NodeId node)
    {
        (shard.Incarnation, shard.AssignedTo, shard.IsSilent) = (shard.Incarnation.Moved(Fence.Epoch), node, false);

        // One that was told it may go, and is there yet, may be all that is left: it has to be told again.
        _nodes[node.Number].IsDrained = false;
        Order(shard, node);
    }

    private void Order(ShardMember shard, NodeId node) =>
        Tell(Destination.Of(node), new ShardAssigned(Fence.Epoch, shard.Shard, shard.Incarnation.Next, node, Fence.Step));

    /// <summary>Of nodes that stay, if one does; none when no node is there.</summary>
    private NodeId? NodeWithFewestShards()
    {
        (NodeMember? best, var fewest) = (null, int.MaxValue);
        foreach (var node in _nodes.Values)
        {
            var isBetter = best is null || (best.IsLeaving, fewest).CompareTo((node.IsLeaving, ShardsAt(node.Node))) > 0;
            (best, fewest) = node.IsLive && isBetter ? (node, ShardsAt(node.Node)) : (best, fewest);
        }

        return best?.Node;
    }

    private int ShardsAt(NodeId node)
    {
        var count = 0;
        foreach (var shard in _shards)
        {
            count += (shard.AssignedTo ?? (shard.IsLive ? shard.Node : null)) == node ? 1 : 0;
        }

        return count;
    }

    /// <summary>Each shard that is there has its copy on another node, the next one in the order of their numbers, for as long as that one is there.</summary>
    private void AssignReplicas()
    {
        foreach (var shard in _shards)
        {
            if (shard.IsLive && IsAtNode(shard.Node) && !(shard.Replica is { } replica && MayHold(replica)) && NodeAfter(shard.Node) is { } other)
            {
                (shard.Replica, shard.ReplicaStep) = (other, null);
                TellReplica(shard, other);
            }
        }
    }

    private NodeId? NodeAfter(NodeId owner)
    {
        NodeId? first = null;
        foreach (var node in _nodes.Values)
        {
            if (!MayHold(node.Node) || node.Node == owner)
            {
                continue;
            }

            if (node.Node.Number > owner.Number)
            {
                return node.Node;
            }

            first ??= node.Node;
        }

        return first;
    }

    private void TellReplica(ShardMember shard, NodeId replica) =>
        Tell(Destination.Of(shard.Shard), new ReplicaAssigned(Fence.Epoch, shard.Shard, shard.Incarnation, replica));

    private DropReason TakeReplica(ReplicaUpdated updated)
    {
        if (updated.Shard.Number < 0 || updated.Shard.Number >= _shards.Length)
        {
            return DropReason.UnknownSender;
        }

        var shard = _shards[updated.Shard.Number];
        if (shard.Incarnation != updated.Incarnation || shard.Replica != updated.Replica)
        {
            return DropReason.UnknownSender;
        }

        shard.ReplicaStep = updated.Step;
        MoveIfCopied();
        PlanMove(mayWait: false);
        return DropReason.None;
    }

    /// <summary>Of a shard whose owner was lost with the coordinator before this one, the newest copy that a node has is as good as the owner's slice.</summary>
    private DropReason TakeHeld(ReplicaHeld held)
    {
        if (held.Shard.Number < 0 || held.Shard.Number >= _shards.Length || !IsAtNode(held.Node))
        {
            return DropReason.NotAdmitted;
        }

        var shard = _shards[held.Shard.Number];
        var isKnown = shard.Replica is { } replica && IsAtNode(replica) && shard.ReplicaStep?.Number >= held.Step.Number;
        if (!shard.IsLive && shard.AssignedTo is null && !isKnown)
        {
            (shard.Replica, shard.ReplicaStep) = (held.Node, held.Step);
        }

        return DropReason.None;
    }

    private bool IsAwaitedAtNode(ShardMember shard) => !shard.IsLive && shard.AssignedTo is { } node && IsAtNode(node);

    /// <summary>Orders again what nodes were to start, and gives what is still nobody's.</summary>
    private void AssignAgain()
    {
        foreach (var shard in _shards)
        {
            if (IsAwaitedAtNode(shard))
            {
                Order(shard, shard.AssignedTo!.Value);
            }
        }

        AssignShards();
    }

    /// <summary>A node that does not start a shard is given up, with all it has.</summary>
    private void GiveUpNode(ShardMember shard)
    {
        var node = shard.AssignedTo!.Value;
        var reason = $"it has not started shard {shard.Shard} after {_settings.RetriesMax} orders";
        Say($"node {node} is given up: {reason}");
        LoseNode(new(node, reason));
    }
}
