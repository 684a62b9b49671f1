using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Nodes;

/// <summary>Where a node stands with the run.</summary>
public enum NodePhase
{
    /// <summary>Has asked to take part, or is about to.</summary>
    Joining,

    /// <summary>Takes part.</summary>
    Admitted,

    /// <summary>Was refused, for good.</summary>
    Refused,

    /// <summary>Has left.</summary>
    Left,
}

/// <summary>
/// Asks to take part, and goes on announcing itself and its members at a steady pace: a lost message, a new coordinator, or one that took this node for lost, is
/// made up for within one announcement.
/// </summary>
public sealed class Node : IMachine
{
    private readonly NodeSettings _settings;
    private EffectList _effects = null!;

    /// <summary>Announcements since the last answer.</summary>
    private int _unanswered;

    /// <summary>Whether it wants to go.</summary>
    private bool _isLeaving;

    /// <summary>Creates a node that has not asked yet.</summary>
    public Node(NodeSettings settings)
    {
        Invariant.Holds(settings.AnnounceTicks > 0 && settings.SilenceMax > 0, "limits are positive");
        _settings = settings;
    }

    /// <summary>Where it stands.</summary>
    public NodePhase Phase { get; private set; }

    /// <summary>The newest epoch it has heard of, and what it dropped.</summary>
    public Fence Fence { get; } = new();

    /// <inheritdoc/>
    public void Handle(long nowTicks, Input input, EffectList effects)
    {
        _effects = effects;
        var reason = Phase is NodePhase.Refused or NodePhase.Left ? DropReason.Finished : Take(nowTicks, input);
        if (reason != DropReason.None)
        {
            Fence.Drop(reason, input, effects);
        }
    }

    private DropReason Take(long nowTicks, Input input)
    {
        switch (input)
        {
            case MachineStarted or DeadlinePassed:
                Announce();
                _effects.Add(new DeadlineSet(nowTicks + _settings.AnnounceTicks));
                return DropReason.None;
            case CoordinatorStarted started:
                return Follow(started);
            case NodeAdmitted admitted:
                return IsMine(admitted.Node) ? Enter(admitted) : DropReason.UnknownSender;
            case JoinRefused refused:
                return IsMine(refused.Node) ? Refuse(refused.Reason) : DropReason.UnknownSender;
            case ShardAssigned assigned:
                return IsMine(assigned.Node) ? Own(assigned) : DropReason.UnknownSender;
            case ShardMoved moved:
                return IsMine(moved.Node) ? GiveUp(moved) : DropReason.UnknownSender;
            case LeaveRequested:
                Go();
                return DropReason.None;
            case NodeDrained drained:
                return IsMine(drained.Node) ? Leave(drained) : DropReason.UnknownSender;
            default:
                throw Invariant.Broken($"a node takes no {input.GetType().Name}");
        }
    }

    private bool IsMine(NodeId node) => node == _settings.Node;

    private void Announce()
    {
        if (_unanswered++ == _settings.SilenceMax)
        {
            _effects.Add(new Note("hears nothing from the coordinator and goes on asking"));
        }

        Tell(new NodeJoining(_settings.Node, _settings.Run));
        if (_isLeaving)
        {
            Tell(new NodeLeaving(_settings.Node));
        }
    }

    private DropReason Follow(CoordinatorStarted started)
    {
        var reason = Fence.Follow(started.Epoch);
        if (reason == DropReason.None)
        {
            Announce();
        }

        return reason;
    }

    /// <summary>The members follow the epoch before they announce themselves: a coordinator that hears of them knows that none of them obeys one before it.</summary>
    private DropReason Enter(NodeAdmitted admitted)
    {
        var reason = Fence.Follow(admitted.Epoch);
        if (reason == DropReason.None)
        {
            _unanswered = 0;
            _isLeaving |= admitted.IsLeaving;
            Phase = NodePhase.Admitted;
            _effects.Add(new AnnounceMembers(admitted.Epoch));
        }

        return reason;
    }

    private DropReason Refuse(string reason)
    {
        Phase = NodePhase.Refused;
        _effects.Add(new NodeRefused(reason));
        return DropReason.None;
    }

    private DropReason Own(ShardAssigned assigned)
    {
        var reason = Fence.Follow(assigned.Epoch);
        if (reason == DropReason.None)
        {
            _effects.Add(new StartShard(assigned.Shard, assigned.Incarnation, assigned.Step));
        }

        return reason;
    }

    private DropReason GiveUp(ShardMoved moved)
    {
        var reason = Fence.Follow(moved.Epoch);
        if (reason == DropReason.None)
        {
            _effects.Add(new StopShard(moved.Shard, moved.Incarnation));
        }

        return reason;
    }

    /// <summary>Who was never taken in holds nothing that anybody needs, and may wait for a coordinator that is not there.</summary>
    private void Go()
    {
        if (Phase == NodePhase.Joining)
        {
            Phase = NodePhase.Left;
            _effects.Add(new NodeLeft());
            return;
        }

        _isLeaving = true;
        Announce();
    }

    private DropReason Leave(NodeDrained drained)
    {
        var reason = Fence.Follow(drained.Epoch);
        if (reason == DropReason.None)
        {
            Phase = NodePhase.Left;
            _effects.Add(new NodeLeft());
        }

        return reason;
    }

    private void Tell(Input message) => _effects.Add(new Send(Destination.Coordinator, message));
}
