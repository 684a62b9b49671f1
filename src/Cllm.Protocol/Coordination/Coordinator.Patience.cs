using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Coordination;

/// <content>
/// Messages may be lost: what was ordered and not answered for a while is ordered again, and the note says whom the run waits
/// for.
/// </content>
public sealed partial class Coordinator
{
    private const int BackoffMax = 32;
    private const int NamedMax = 4;
    private const long TicksPerSecond = 10_000_000;

    private long _progressTicks;
    private long _dueTicks;
    private int _backoff = 1;

    /// <summary>How often in a row orders were sent again without any progress.</summary>
    private int _retries;

    /// <summary>Who was said to be awaited since the last progress.</summary>
    private string _awaited = "";

    /// <summary>The deadline that is set, if one is.</summary>
    private long _deadlineTicks;

    /// <summary>Whether a deadline is set that has not passed: one at a time, left alone by progress, so that a step costs no timer.</summary>
    private bool _isDeadlineSet;

    private bool IsWaitingForOthers => Phase is CoordinatorPhase.Assembling or CoordinatorPhase.Computing
        or CoordinatorPhase.Reducing or CoordinatorPhase.Applying or CoordinatorPhase.Evaluating or CoordinatorPhase.AwaitingMembers
        || (Phase == CoordinatorPhase.Paused && !AreShardsLive())
        || (Phase != CoordinatorPhase.Ended && _restoreReason is not null);

    private void Progress()
    {
        _progressTicks = _nowTicks;
        _dueTicks = _nowTicks + _settings.PatienceTicks;
        (_backoff, _retries, _awaited) = (1, 0, "");
    }

    private void SetDeadline()
    {
        if (_dueTicks == 0)
        {
            Progress();
        }

        var atTicks = Math.Min(_dueTicks, _lateTicks);
        if (IsWaitingForOthers && (!_isDeadlineSet || atTicks < _deadlineTicks))
        {
            (_isDeadlineSet, _deadlineTicks) = (true, atTicks);
            _effects.Add(new DeadlineSet(atTicks));
        }
    }

    private void PassDeadline()
    {
        _isDeadlineSet = false;
        if (_nowTicks >= _lateTicks)
        {
            OccupyAll();
        }

        if (!IsWaitingForOthers || _nowTicks < _dueTicks)
        {
            return;
        }

        var awaited = Awaited();
        if (awaited != _awaited)
        {
            _awaited = awaited;
            Say($"step {Fence.Step} has waited {(_nowTicks - _progressTicks) / TicksPerSecond} s for {awaited}");
        }

        _backoff = Math.Min(2 * _backoff, BackoffMax);
        _dueTicks = _nowTicks + _settings.PatienceTicks * _backoff;
        OrderAgain();
    }

    /// <summary>Orders again what has no answer, from those who are there; those who were ordered too often are given up.</summary>
    private void OrderAgain()
    {
        var isEnough = ++_retries > _settings.RetriesMax;
        foreach (var member in _workers.Values)
        {
            if (isEnough && member is { IsLive: true, Open.Count: > 0 })
            {
                GiveUp(member);
            }

            foreach (var lease in member.Open)
            {
                Order(member, lease);
            }
        }

        foreach (var shard in _shards)
        {
            var isOrdered = shard.IsLive && ((Phase == CoordinatorPhase.Reducing && shard.Reduced is null) || (Phase == CoordinatorPhase.Applying && shard.IsUpdating));
            if (isEnough && IsAwaitedAtNode(shard))
            {
                GiveUpNode(shard);
            }
            else if (isEnough && isOrdered)
            {
                GiveUp(shard);
            }
            else if (isOrdered)
            {
                OrderOf(shard);
            }
        }

        if (isEnough)
        {
            _retries = 0;
            ChooseAssignable();
        }

        PostponeMove();
        AssignAgain();
        AssignReplicas();
        Recover();

        OccupyAll();
    }

    private void OrderOf(ShardMember shard)
    {
        if (Phase == CoordinatorPhase.Reducing)
        {
            OrderReduction(shard);
        }
        else
        {
            Tell(Destination.Of(shard.Shard), new StepCommitted(Fence.Epoch, Fence.Step, _scalars));
        }
    }

    private void GiveUp(WorkerMember member)
    {
        Lose(member, $"{_settings.RetriesMax} orders in a row have no answer");
        member.IsSilent = true;
    }

    private void GiveUp(ShardMember member)
    {
        Lose(member, $"{_settings.RetriesMax} orders in a row have no answer");
        member.IsSilent = true;
    }

    private string Awaited()
    {
        var names = Phase switch
        {
            CoordinatorPhase.Reducing => Names(shard => shard.Reduced is null),
            CoordinatorPhase.Applying => Names(shard => !shard.IsUpdated),
            CoordinatorPhase.Assembling => [.. Nodes(_settings.NodesToStart), .. Workers(), .. Names(shard => !shard.IsLive)],
            CoordinatorPhase.AwaitingMembers => [.. Nodes(_settings.NodesMin), .. Names(shard => !shard.IsLive)],
            _ => [.. _workers.Values.Where(member => member.Open.Count > 0).Select(Describe)],
        };
        return names.Length > 0 ? Join(names)
            : _leases.Pending > 0 ? "a worker"
            : _moving is { } shard ? $"the copy of shard {shard.Shard} at node {_movingTo}"
            : "all shards to be there";
    }

    private static string Join(string[] names)
    {
        var rest = names.Length > NamedMax ? $" and {names.Length - NamedMax} more" : "";
        return string.Join(", ", names.Take(NamedMax)) + rest;
    }

    private string Describe(WorkerMember member)
    {
        var (first, count, _) = _leases.Range(member.Open[0]);
        var more = member.Open.Count > 1 ? $" and {member.Open.Count - 1} more" : "";
        return $"worker {member.Worker} (lease {member.Open[0]}, units {first}+{count}{more})";
    }

    private string[] Nodes(int nodesMin) => LiveNodes < nodesMin ? [$"{LiveNodes} of {nodesMin} nodes"] : [];

    private string[] Workers() =>
        _assignable.Length < _settings.WorkersToStart ? [$"{_assignable.Length} of {_settings.WorkersToStart} workers"] : [];

    private string[] Names(Func<ShardMember, bool> isAwaited) =>
        [.. _shards.Where(isAwaited).Select(shard => $"shard {shard.Shard}")];
}
