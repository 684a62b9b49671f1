using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Coordination;

/// <content>
/// What a worker does that has nothing left to do while a step is under way. One that came during the step takes over leases that wait behind another at
/// whoever has most leaves waiting. Everybody helps a late worker: first with what waits there, then with a second lease on what it is at, of which the first
/// answer counts. A lease is late by what leaves took lately, at its worker and at all. Only idle workers are given anything, a lease has one copy at most, and
/// a worker that was outrun is passed over until there is a sign of it.
/// </content>
public sealed partial class Coordinator
{
    private const int TicksPerMs = 10_000;

    /// <summary>What leaves took at all workers.</summary>
    private readonly LeafTimes _times;

    /// <summary>When the next lease is late that an idle worker would help with; never when nobody is idle.</summary>
    private long _lateTicks = long.MaxValue;

    /// <summary>Whether somebody is passed over.</summary>
    private bool _isPassingOver;

    private bool IsLeasing => Phase is CoordinatorPhase.Computing or CoordinatorPhase.Evaluating && !_leases.Complete;

    /// <summary>Half of a step's leases are kept for work that was lost.</summary>
    private bool MayHelp => _leases.Given < _settings.LeasesPerStepMax / 2;

    private void BeginLeases(int units)
    {
        _leases.Begin(units);
        _lateTicks = long.MaxValue;
        foreach (var member in _workers.Values)
        {
            member.Open.Clear();
            member.IsJoining = false;
        }
    }

    private void Opened(WorkerMember member, LeaseId lease)
    {
        if (member.Open.Count == 0)
        {
            member.BusySinceTicks = _nowTicks;
        }

        member.Open.Add(lease);
    }

    private void Answered(WorkerMember member, LeaseId lease)
    {
        var at = member.Open.IndexOf(lease);
        var leaves = _leases.Range(lease).Count;
        Invariant.Holds(at >= 0, $"lease {lease} is open at worker {member.Worker}");
        if (at == 0)
        {
            if (Phase == CoordinatorPhase.Computing)
            {
                var ticks = (_nowTicks - member.BusySinceTicks) / leaves;
                member.Times.Add(ticks);
                _times.Add(ticks);
            }

            member.BusySinceTicks = _nowTicks;
            (member.StepsPassedOver, member.IsLateSaid) = (0, false);
        }

        member.LeavesAnswered += Phase == CoordinatorPhase.Computing ? leaves : 0;
        member.Open.RemoveAt(at);
    }

    /// <summary>Another worker answered first. Who was late and still owes its answer is leased nothing until there is a sign of it.</summary>
    private void Outran(LeaseLedger.Loser loser)
    {
        var member = _workers[loser.Worker.Number];
        var isOwing = member.Open[0] == loser.Lease && !loser.IsCopy;
        member.Open.Remove(loser.Lease);
        member.BusySinceTicks = _nowTicks;
        Tell(Destination.Of(member.Worker), new LeaseRevoked(Fence.Epoch, Fence.Step, loser.Lease, member.Incarnation));
        if (isOwing)
        {
            member.StepsPassedOver = Math.Min(Math.Max(1, 2 * member.StepsPassedOver), _settings.StepsPassedOverMax);
            member.PassedOverUntil = new(Fence.Step.Number + 1 + member.StepsPassedOver);
            ChooseAssignable();
        }
    }

    /// <summary>Who is leased something: those who are there, stay, and owe nothing; those who owe an answer when there is nobody else.</summary>
    private void ChooseAssignable()
    {
        _isPassingOver = false;
        foreach (var member in _workers.Values)
        {
            if (member.PassedOverUntil is { } until && until.Number <= Fence.Step.Number)
            {
                member.PassedOverUntil = null;
            }

            _isPassingOver |= member.PassedOverUntil is not null;
        }

        _assignable = [.. _workers.Values.Where(member => member is { IsAssignable: true, PassedOverUntil: null })];
        if (_assignable.Length == 0)
        {
            _assignable = [.. _workers.Values.Where(member => member.IsAssignable)];
        }
    }

    private void EndPassingOver()
    {
        if (_isPassingOver)
        {
            ChooseAssignable();
        }
    }

    /// <summary>A sign of a member that owes an answer or was given up for its silence: it takes part again.</summary>
    private void Hear(StepInput input)
    {
        if (input is LeaseAnswer answer && _workers.TryGetValue(answer.Worker.Number, out var member) && (member.IsSilent || member.PassedOverUntil is not null))
        {
            Hear(member);
        }
        else if (input is ShardUnfit { Shard: var unfit } && IsSilent(unfit))
        {
            HearShard(unfit);
        }
        else if (input is ShardReduced { Shard: var reduced } && IsSilent(reduced))
        {
            HearShard(reduced);
        }
        else if (input is ShardUpdated { Shard: var updated } && IsSilent(updated))
        {
            HearShard(updated);
        }
    }

    private bool IsSilent(ShardIndex shard) => shard.Number >= 0 && shard.Number < _shards.Length && _shards[shard.Number].IsSilent;

    private void HearShard(ShardIndex shard)
    {
        var member = _shards[shard.Number];
        (member.IsLive, member.IsSilent, member.IsUpdating) = (true, false, Phase == CoordinatorPhase.Applying && !member.IsUpdated);
        Recover();
    }

    private void Hear(WorkerMember member)
    {

        member.IsLive |= member.IsSilent;
        (member.IsSilent, member.PassedOverUntil, member.IsJoining) = (false, null, true);
        ChooseAssignable();
        Recover();
    }

    /// <summary>Whether it may be given something that others have: one that has used up half of the failures that a step bears is not, so that it cannot end the run.</summary>
    private bool IsIdle(WorkerMember member) =>
        member is { IsAssignable: true, PassedOverUntil: null, Open.Count: 0 } && member.Failures <= _settings.FailuresMax / 2;

    /// <summary>Gives all idle workers something to do if there is anything, the fastest first.</summary>
    private void OccupyAll()
    {
        _lateTicks = long.MaxValue;
        while (IsLeasing && FastestIdle() is { } idle && Occupy(idle))
        {
        }
    }

    private WorkerMember? FastestIdle()
    {
        WorkerMember? fastest = null;
        foreach (var member in _assignable)
        {
            if (IsIdle(member) && (fastest is null || UsualTicks(member) < UsualTicks(fastest)))
            {
                fastest = member;
            }
        }

        return fastest;
    }

    private long UsualTicks(WorkerMember member) =>
        member.Times.Count > 0 ? member.Times.MedianTicks : _times.Count > 0 ? _times.MedianTicks : 0;

    /// <summary>Gives an idle worker something to do if there is anything; else sees to it that there is a deadline when there may be.</summary>
    private bool Occupy(WorkerMember idle)
    {
        var isNobodyLateYet = _lateTicks != long.MaxValue && _nowTicks < _lateTicks;
        if (!IsLeasing || !IsIdle(idle) || !MayHelp || (isNobodyLateYet && !idle.IsJoining))
        {
            return false;
        }

        var (waiting, late) = FindWork(idle.IsJoining);
        if (waiting is not null)
        {
            var lease = waiting.Open[^1];
            waiting.Open.RemoveAt(waiting.Open.Count - 1);
            Tell(Destination.Of(waiting.Worker), new LeaseRevoked(Fence.Epoch, Fence.Step, lease, waiting.Incarnation));
            Say($"worker {idle.Worker} takes lease {lease} over, which worker {waiting.Worker} has not begun");
            Lease(idle, _leases.Move(lease, idle.Worker, _nowTicks));
            TellExpected();
            return true;
        }

        if (late is not null)
        {
            var lease = late.Open[0];
            if (!late.IsLateSaid)
            {
                late.IsLateSaid = true;
                var (tookMs, allowedMs) = ((_nowTicks - late.BusySinceTicks) / TicksPerMs, AllowedTicks(late) / TicksPerMs);
                Say($"worker {late.Worker} is at lease {lease} for {tookMs} ms, late after {allowedMs} ms: worker {idle.Worker} is leased the same");
            }

            Lease(idle, _leases.Copy(lease, idle.Worker, _nowTicks));
            return true;
        }

        return false;
    }

    /// <summary>Who has most leaves waiting that may be taken over, and who is late the longest with a lease that has no copy.</summary>
    private (WorkerMember? Waiting, WorkerMember? Late) FindWork(bool isJoining)
    {
        (WorkerMember? waiting, WorkerMember? late, var mostLeaves) = (null, null, 0);
        foreach (var member in _workers.Values)
        {
            if (!member.IsLive || member.Open.Count == 0)
            {
                continue;
            }

            var lateAtTicks = member.BusySinceTicks + AllowedTicks(member);
            var isLate = _nowTicks >= lateAtTicks;
            if (isJoining || isLate)
            {
                var leaves = WaitingLeaves(member);
                (waiting, mostLeaves) = leaves > mostLeaves ? (member, leaves) : (waiting, mostLeaves);
            }

            if (_leases.HasCopy(member.Open[0]))
            {
                continue;
            }

            if (!isLate)
            {
                _lateTicks = Math.Min(_lateTicks, lateAtTicks);
            }
            else if (late is null || member.BusySinceTicks < late.BusySinceTicks)
            {
                late = member;
            }
        }

        return (waiting, late);
    }

    private int WaitingLeaves(WorkerMember member)
    {
        var leaves = 0;
        for (var i = 1; i < member.Open.Count; i++)
        {
            leaves += _leases.Range(member.Open[i]).Count;
        }

        return leaves > 0 && !_leases.HasCopy(member.Open[^1]) ? leaves : 0;
    }

    /// <summary>
    /// How long a worker may be at its lease before it is late: by its own leaves or by all workers', whichever is less, between the floor and the patience for each
    /// leaf. A lease of many long leaves may take longer than the patience with nobody being late.
    /// </summary>
    private long AllowedTicks(WorkerMember member)
    {
        var ticks = long.MaxValue;
        if (Phase == CoordinatorPhase.Computing)
        {
            var leaves = _leases.Range(member.Open[0]).Count;
            ticks = Math.Min(AllowedTicks(member.Times, leaves), AllowedTicks(_times, leaves));
        }

        return ticks == long.MaxValue ? _settings.PatienceTicks : Math.Max(ticks, Math.Min(_settings.LateTicksMin, _settings.PatienceTicks));
    }

    private long AllowedTicks(LeafTimes times, int leaves) =>
        times.Count < _settings.TimesMin ? long.MaxValue : Math.Min(times.LateTicks(), _settings.PatienceTicks) * leaves;

    /// <summary>Orders what a lease that was just given covers.</summary>
    private void Lease(WorkerMember member, LeaseId lease)
    {
        Opened(member, lease);
        Order(member, lease);
    }

    private void Order(WorkerMember member, LeaseId lease)
    {
        var (first, count, node) = _leases.Range(lease);
        Tell(Destination.Of(member.Worker), Phase == CoordinatorPhase.Evaluating
            ? new EvaluationLeased(Fence.Epoch, Fence.Step, lease, first, count, member.Incarnation, _leases.First)
            : new LeafLeased(Fence.Epoch, Fence.Step, lease, node, member.Incarnation, _leases.First));
    }
}
