using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Shards;

/// <summary>What a shard is doing.</summary>
public enum ShardPhase
{
    /// <summary>Waits for a reduction order.</summary>
    Idle,

    /// <summary>Adds its range of the sources.</summary>
    Reducing,

    /// <summary>Has reduced and waits for the commit.</summary>
    Reduced,

    /// <summary>Updates its slice: neither the old step's nor the new one's.</summary>
    Updating,

    /// <summary>Has updated its slice and waits for the next reduction order.</summary>
    Updated,
}

/// <summary>Adds its range of all gradients, and updates its slice when the step is committed.</summary>
public sealed partial class Shard : IMachine
{
    private readonly ShardSettings _settings;
    private EffectList _effects = null!;

    /// <summary>The order it works on; none before the first.</summary>
    private ReductionOrdered? _order;

    /// <summary>A newer order that came while work was under way; taken when that work ends.</summary>
    private ReductionOrdered? _next;

    /// <summary>The answer to the order, once there is one: given again if the order comes again.</summary>
    private StepInput? _answer;

    /// <summary>A commit that came while the slice was being sent; taken when that ends.</summary>
    private StepCommitted? _commit;

    /// <summary>The step at which the slice stands; none while it is missing or being updated.</summary>
    private Step? _slice;

    /// <summary>Whether it was to announce itself while it updated: it does so when it knows what to say.</summary>
    private bool _isAnnouncementDue;

    /// <summary>Creates a shard that waits for its first order.</summary>
    public Shard(ShardSettings settings) => (_settings, _slice, Fence.Epoch) = (settings, settings.Slice, settings.Epoch);

    /// <summary>What it is doing.</summary>
    public ShardPhase Phase { get; private set; }

    /// <summary>Whether a newer order has come while it reduces: the reduction's result will be dropped, whatever it is.</summary>
    public bool IsOutdated => Phase == ShardPhase.Reducing && _next is not null;

    /// <summary>The newest epoch and step it has heard of, and what it dropped.</summary>
    public Fence Fence { get; } = new();

    /// <inheritdoc/>
    public void Handle(long nowTicks, Input input, EffectList effects)
    {
        _effects = effects;
        var reason = input switch
        {
            ReductionOrdered order => TakeOrder(order),
            GradientsExpected expected => TakeExpected(expected),
            StepCommitted commit => TakeCommit(commit),
            SliceReduced reduced => TakeReduced(reduced),
            SliceUpdated updated => TakeUpdated(updated),
            SliceSent sent => TakeSent(sent),
            SliceRestored restored => TakeRestored(restored),
            ReplicaAssigned assigned => TakeReplica(assigned),
            CoordinatorStarted started => Fence.Follow(started.Epoch) is var dropped && dropped == DropReason.None ? Announce() : dropped,
            MachineStarted => Announce(),
            _ => throw Invariant.Broken($"a shard takes no {input.GetType().Name}"),
        };
        if (reason != DropReason.None)
        {
            Fence.Drop(reason, input, effects);
        }
    }

    private DropReason Announce()
    {
        _isAnnouncementDue = Phase == ShardPhase.Updating;
        if (!_isAnnouncementDue)
        {
            Tell(new ShardStarted(_settings.Shard, _settings.Incarnation, _settings.Node, _slice));
        }

        return DropReason.None;
    }

    /// <summary>An order for an earlier incarnation: the coordinator has not heard of this one.</summary>
    private DropReason AnnounceIfUnknown(Incarnation ordered)
    {
        if (ordered.Number < _settings.Incarnation.Number)
        {
            Announce();
        }

        return DropReason.OtherIncarnation;
    }

    private DropReason TakeOrder(ReductionOrdered order)
    {
        if (order.Incarnation != _settings.Incarnation)
        {
            return AnnounceIfUnknown(order.Incarnation);
        }

        var known = _next ?? _order;
        if (known is not null && known.Epoch == order.Epoch && known.Step == order.Step)
        {
            return Repeat();
        }

        var reason = Fence.Follow(order);
        if (reason != DropReason.None)
        {
            return reason;
        }

        if (Phase is ShardPhase.Reducing or ShardPhase.Updating)
        {
            _next = order;
        }
        else
        {
            ReduceIfFit(order);
        }

        return DropReason.None;
    }

    /// <summary>
    /// Only while it holds nothing of an earlier reduction that may be needed yet, and only for the step at which its slice stands. The fence is left alone: what
    /// is advice makes no order void.
    /// </summary>
    private DropReason TakeExpected(GradientsExpected expected)
    {
        var reason = Fence.Compare(expected);
        if (reason is DropReason.OlderEpoch or DropReason.OlderStep)
        {
            return reason;
        }

        if (Phase is not (ShardPhase.Idle or ShardPhase.Updated) || _slice != expected.Step)
        {
            return DropReason.NotAwaited;
        }

        _effects.Add(new ExpectGradients(expected.Epoch, expected.Step, expected.Sources));
        return DropReason.None;
    }

    private void ReduceIfFit(ReductionOrdered order)
    {
        if (_slice == order.Step)
        {
            Reduce(order);
        }
        else
        {
            Tell(new ShardUnfit(order.Epoch, order.Step, _settings.Shard, _slice));
        }
    }

    private DropReason TakeCommit(StepCommitted commit)
    {
        var reason = Fence.Compare(commit);
        if (reason != DropReason.None)
        {
            return reason;
        }

        if (Phase != ShardPhase.Reduced || !IsCurrent(commit))
        {
            return Phase is ShardPhase.Updating or ShardPhase.Updated ? Repeat() : DropReason.NotAwaited;
        }

        _answer = null;
        if (_sending is null)
        {
            Update(commit);
        }
        else
        {
            _commit = commit;
        }

        return DropReason.None;
    }

    private void Update(StepCommitted commit)
    {
        (Phase, _commit, _slice) = (ShardPhase.Updating, null, null);
        _effects.Add(new UpdateSlice(commit.Epoch, commit.Step, _order!.Sources, commit.Payload));
    }

    private DropReason TakeReduced(SliceReduced reduced)
    {
        Invariant.Holds(Phase == ShardPhase.Reducing && IsCurrent(reduced), $"shard {_settings.Shard} reduces what it was ordered to");
        Phase = ShardPhase.Reduced;
        return Finish(new ShardReduced(reduced.Epoch, reduced.Step, _settings.Shard, reduced.Payload));
    }

    private DropReason TakeUpdated(SliceUpdated updated)
    {
        Invariant.Holds(Phase == ShardPhase.Updating && IsCurrent(updated), $"shard {_settings.Shard} updates what was committed");
        Phase = ShardPhase.Updated;
        _slice = updated.Step.Next;
        var reason = Finish(new ShardUpdated(updated.Epoch, updated.Step, _settings.Shard));
        if (_isAnnouncementDue)
        {
            Announce();
        }

        SendIfBehind();
        return reason;
    }

    /// <summary>Answers, unless a newer order has made the work void.</summary>
    private DropReason Finish(StepInput answer)
    {
        if (_next is { } next)
        {
            _next = null;
            ReduceIfFit(next);
            return DropReason.OlderEpoch;
        }

        _answer = answer;
        Tell(answer);
        return DropReason.None;
    }

    private void Reduce(ReductionOrdered order)
    {
        (_order, _next, _answer, _commit) = (order, null, null, null);
        Phase = ShardPhase.Reducing;
        _effects.Add(new ReduceSlice(order.Epoch, order.Step, order.Sources));
    }

    /// <summary>
    /// An order came again because its answer did not arrive, or because it was doubled on the way: answers again if there is an answer.
    /// </summary>
    private DropReason Repeat()
    {
        if (_answer is { } answer)
        {
            Tell(answer);
        }

        return DropReason.Duplicate;
    }

    private bool IsCurrent(StepInput result) => _order is { } order && order.Epoch == result.Epoch && order.Step == result.Step;

    private void Tell(Input message) => _effects.Add(new Send(Destination.Coordinator, message));
}
