using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Coordination;

/// <content>Who is there, and what is done again when somebody is not.</content>
public sealed partial class Coordinator
{
    private readonly SortedDictionary<int, WorkerMember> _workers = [];

    /// <summary>Workers that are there and stay, in order of their numbers: those who are leased something.</summary>
    private WorkerMember[] _assignable = [];

    private DropReason TakeMembership(Input input)
    {
        var reason = input switch
        {
            WorkerStarted started => StartWorker(started),
            WorkerLost lost => LoseWorker(lost),
            WorkerLeaving leaving => LeaveWorker(leaving),
            ShardStarted started => StartShard(started),
            ShardLost lost => LoseShard(lost),
            NodeLost lost => LoseNode(lost),
            NodeJoining joining => JoinNode(joining),
            NodeLeaving leaving => LeaveNode(leaving.Node, isAsked: false),
            DrainRequested drain => LeaveNode(drain.Node, isAsked: true),
            _ => throw Invariant.Broken($"{input.GetType().Name} is no membership"),
        };
        if (reason == DropReason.None)
        {
            Progress();
            ChooseAssignable();
            AssignShards();
            AssignReplicas();
            ForgetMove();
            PlanMove(mayWait: false);
            Recover();
            DrainNodes();
        }

        return reason == DropReason.Known ? DropReason.None : reason;
    }

    /// <summary>The worker's entry, made at its first sign of life; none when there is no room for one more.</summary>
    private WorkerMember? MemberOf(WorkerId worker)
    {
        if (!_workers.TryGetValue(worker.Number, out var member) && (_workers.Count < _settings.WorkersMax || ForgetWorker()))
        {
            member = new(worker, _settings.TimesMax);
            _workers.Add(worker.Number, member);
        }

        return member;
    }

    /// <summary>Makes room for a worker, if there is one that is gone and whose gradients nobody is about to add.</summary>
    private bool ForgetWorker()
    {
        foreach (var member in _workers.Values)
        {
            if (!member.IsLive && !_leases.Holds(member.Worker))
            {
                return _workers.Remove(member.Worker.Number);
            }
        }

        return false;
    }

    private DropReason StartWorker(WorkerStarted started)
    {
        if (_settings.Run is not null && !IsAtNode(started.Node))
        {
            return DropReason.NotAdmitted;
        }

        if (MemberOf(started.Worker) is not { } member)
        {
            return DropReason.NoRoom;
        }

        if (started.Incarnation == member.Incarnation && IsAtNode(started.Node))
        {
            return ReturnWorker(member);
        }

        if (started.Incarnation.Number <= member.Incarnation.Number)
        {
            return DropReason.UnknownSender;
        }

        if (member.IsLive)
        {
            Lose(member, $"it started again as incarnation {started.Incarnation}");
        }

        (member.Incarnation, member.Node, member.IsLive, member.IsLeaving) = (started.Incarnation, started.Node, true, false);
        Welcome(member);
        return DropReason.None;
    }

    /// <summary>A worker of a node announces itself again: it was lost by mistake, or did not hear that it may go, or nothing has changed.</summary>
    private DropReason ReturnWorker(WorkerMember member)
    {
        if (member.IsLive)
        {
            return DropReason.Known;
        }

        if (member.IsLeaving)
        {
            Tell(Destination.Of(member.Worker), new LeaveGranted(Fence.Epoch, member.Worker, member.Incarnation));
            return DropReason.Known;
        }

        member.IsLive = true;
        Welcome(member);
        return DropReason.None;
    }

    private void Welcome(WorkerMember member)
    {
        (member.IsJoining, member.IsSilent, member.PassedOverUntil, member.StepsPassedOver) = (true, false, null, 0);
        if (Phase != CoordinatorPhase.Assembling)
        {
            Say($"worker {member.Worker} joins at step {Fence.Step} as incarnation {member.Incarnation}");
        }

        if (_nodes.TryGetValue(member.Node.Number, out var node) && node.IsLeaving)
        {
            LetGo(member);
        }
    }

    private DropReason LoseWorker(WorkerLost lost)
    {
        if (MemberOf(lost.Worker) is not { } member)
        {
            return DropReason.NoRoom;
        }

        // It may have failed before it could announce itself; that counts as well.
        if (lost.Incarnation.Number > member.Incarnation.Number)
        {
            (member.Incarnation, member.IsLive) = (lost.Incarnation, true);
        }

        if (!member.IsLive || lost.Incarnation != member.Incarnation)
        {
            return DropReason.UnknownSender;
        }

        Lose(member, lost.Reason);
        return DropReason.None;
    }

    private void Lose(WorkerMember member, string reason)
    {
        Say($"worker {member.Worker} is lost at step {Fence.Step}: {reason}");
        StrikeOff(member, reason);
    }

    private void StrikeOff(WorkerMember member, string reason)
    {
        (member.IsLive, member.IsSilent) = (false, false);
        member.Open.Clear();
        _survived.WorkersLost++;
        if (Phase != CoordinatorPhase.Applying && _leases.Revoke(member.Worker))
        {
            RevokeReduction($"worker {member.Worker} is lost and its gradients with it");
        }

        CountFailure(member, $"worker {member.Worker}", reason);
    }

    private DropReason LeaveWorker(WorkerLeaving leaving)
    {
        if (!_workers.TryGetValue(leaving.Worker.Number, out var member) || leaving.Incarnation != member.Incarnation)
        {
            return DropReason.UnknownSender;
        }

        if (member.IsLeaving)
        {
            // Said again: no sign that the run gets on, so that orders that were lost still come again. Whoever was let go did not hear of it.
            if (!member.IsLive)
            {
                Tell(Destination.Of(member.Worker), new LeaveGranted(Fence.Epoch, member.Worker, member.Incarnation));
            }

            return DropReason.Duplicate;
        }

        LetGo(member);
        return DropReason.None;
    }

    private void LetGo(WorkerMember member)
    {
        member.IsLeaving = true;
        if (!_leases.Holds(member.Worker))
        {
            Grant(member);
        }
    }

    private void GrantLeaves()
    {
        foreach (var member in _workers.Values)
        {
            if (member is { IsLeaving: true, IsLive: true })
            {
                Grant(member);
            }
        }
    }

    private void Grant(WorkerMember member)
    {
        member.IsLive = false;
        Say($"worker {member.Worker} leaves at step {Fence.Step}");
        Tell(Destination.Of(member.Worker), new LeaveGranted(Fence.Epoch, member.Worker, member.Incarnation));
    }

    private void CountFailure(Member member, string name, string reason)
    {
        member.FailuresInAll++;
        if (++member.Failures > _settings.FailuresMax && Phase != CoordinatorPhase.Ended)
        {
            End(RunOutcome.Failed,
                $"{name} failed {member.Failures} times at step {Fence.Step} without a new step in between, the last time of: {reason}");
        }
    }

    private void ForgiveFailures()
    {
        foreach (var member in _workers.Values)
        {
            member.Failures = 0;
        }

        foreach (var member in _shards)
        {
            member.Failures = 0;
        }
    }
}
