using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Coordination;

/// <content>Which shards are there, and whether the slice that one comes with is the one it has to have by now.</content>
public sealed partial class Coordinator
{
    private DropReason StartShard(ShardStarted started)
    {
        if (started.Shard.Number < 0 || started.Shard.Number >= _shards.Length)
        {
            return DropReason.UnknownSender;
        }

        if (_settings.Run is not null && !IsAtNode(started.Node))
        {
            return DropReason.NotAdmitted;
        }

        var member = _shards[started.Shard.Number];
        if (started.Incarnation == member.Incarnation && started.Node == member.Node && IsAtNode(started.Node))
        {
            return ReturnShard(member, started.Slice);
        }

        if (started.Incarnation.MovedIn.Number > Fence.Epoch.Number)
        {
            // A successor has moved it: this coordinator is over, and must not give away what it has.
            return DropReason.NewerEpoch;
        }

        if (started.Incarnation.Number <= member.Incarnation.Number)
        {
            if (member.IsLive && member.Node != started.Node)
            {
                TellMoved(member, started.Node);
            }

            return DropReason.UnknownSender;
        }

        if (member.IsLive)
        {
            Lose(member, $"it started again as incarnation {started.Incarnation}");
        }

        (member.Incarnation, member.Node, member.AssignedTo) = (started.Incarnation, started.Node, null);
        (member.IsLive, member.IsSilent, member.Replica, member.ReplicaStep) = (true, false, null, null);
        if (member.MovedFrom is { } owner && owner != started.Node)
        {
            TellMoved(member, owner);
        }

        member.MovedFrom = null;
        Inspect(member, started.Slice);
        return DropReason.None;
    }

    /// <summary>A shard of a node announces itself again: it was lost by mistake, or nothing has changed but that its replica may not have been heard of.</summary>
    private DropReason ReturnShard(ShardMember member, Step? slice)
    {
        if (member.IsLive)
        {
            if (member.Replica is { } replica && (member.ReplicaStep is null || member == _moving))
            {
                TellReplica(member, replica);
            }

            return DropReason.Known;
        }

        (member.IsLive, member.IsSilent) = (true, false);
        if (Phase == CoordinatorPhase.Applying && slice == Fence.Step)
        {
            // It may be about to update, or be at it by now: the commit is sent again until it says that it is through.
            member.IsUpdating = true;
            Tell(Destination.Of(member.Shard), new StepCommitted(Fence.Epoch, Fence.Step, _scalars));
        }
        else
        {
            Inspect(member, slice);
        }

        return DropReason.None;
    }

    /// <summary>Who owned a shard has no use for it any more: told only when it is there at another node.</summary>
    private void TellMoved(ShardMember member, NodeId owner) =>
        Tell(Destination.Of(owner), new ShardMoved(Fence.Epoch, member.Shard, member.Incarnation, owner));

    /// <summary>Whether the slice that a shard came with is the one it has to have by now.</summary>
    private void Inspect(ShardMember member, Step? slice)
    {
        member.Slice = slice;
        if (Phase == CoordinatorPhase.Assembling)
        {
            return;
        }

        if (Phase == CoordinatorPhase.Applying && slice == Fence.Step.Next)
        {
            (member.IsUpdated, member.IsUpdating) = (true, false);
            return;
        }

        var isWhole = Phase switch
        {
            CoordinatorPhase.Applying => false,
            CoordinatorPhase.Restoring => !_isRestoreStarted || slice is not null,
            CoordinatorPhase.AwaitingCheckpoint => _checkpointed == Fence.Step || slice == Fence.Step,
            _ => slice == Fence.Step,
        };
        if (!isWhole)
        {
            _restoreReason = Mismatch(member);
        }
    }

    private void TakeUnfit(ShardUnfit unfit)
    {
        var member = _shards[unfit.Shard.Number];
        member.Slice = unfit.Slice;
        _restoreReason = Mismatch(member);
        CountFailure(member, $"shard {member.Shard}", _restoreReason);
        Recover();
    }

    private string Mismatch(ShardMember member)
    {
        var found = member.Slice is { } step ? $"stands at step {step}" : "is missing or half updated";
        return $"the slice of shard {member.Shard} {found} while the run is at step {Fence.Step}";
    }

    /// <summary>
    /// Whether all slices stand at the step at which the run goes on. A coordinator may have been lost after all shards had updated and before it could persist
    /// that: then the step is done. When only some have updated, the scalars for the others are lost with it, and the run goes back to a checkpoint.
    /// </summary>
    private void JudgeSlices()
    {
        if (_settings.IsStepLearned)
        {
            LearnStep();
        }
        else if (_settings.IsSuccessor && !IsAtEnd && Array.TrueForAll(_shards, shard => shard.Slice == Fence.Step.Next))
        {
            Say($"step {Fence.Step} was done when the coordinator before this one was lost, and is not reported");
            Fence.Step = _furthest = Fence.Step.Next;
            _isCheckpointDue |= IsCheckpointStep;
        }

        if (Array.Find(_shards, shard => shard.Slice != Fence.Step) is { } other)
        {
            _isBeginning = _settings is { IsSuccessor: false, Run: not null } && _furthest == _settings.FirstStep && Fence.Step == _settings.FirstStep
                && Array.TrueForAll(_shards, shard => shard.Slice is null || shard.Slice == Fence.Step);
            _restoreReason = _isBeginning ? "the nodes are given the state of that step, with which the run begins" : Mismatch(other);
        }
    }

    /// <summary>
    /// The run is where its furthest slice is. A slice that stands elsewhere sends all back to a checkpoint, which is no later: nothing is done but what was
    /// done before.
    /// </summary>
    private void LearnStep()
    {
        Step? found = null;
        foreach (var shard in _shards)
        {
            found = shard.Slice is { } slice && (found is not { } other || slice.Number > other.Number) ? slice : found;
        }

        var furthest = found ?? _settings.FirstStep;
        if (furthest != Fence.Step)
        {
            Say($"the shards that the coordinator before this one left stand at step {furthest}");
            Fence.Step = _furthest = _evaluated = furthest;
        }

        // One that was due since the newest that is at hand here may be lost with its process.
        _isCheckpointDue |= _settings.CheckpointEvery > 0 && furthest.Number / _settings.CheckpointEvery > _checkpointed.Number / _settings.CheckpointEvery;
    }

    private DropReason LoseShard(ShardLost lost)
    {
        if (lost.Shard.Number < 0 || lost.Shard.Number >= _shards.Length || lost.Incarnation.MovedIn.Number > Fence.Epoch.Number)
        {
            return DropReason.UnknownSender;
        }

        var member = _shards[lost.Shard.Number];
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

    private void Lose(ShardMember member, string reason)
    {
        Say($"shard {member.Shard} is lost at step {Fence.Step}: {reason}");
        StrikeOff(member, reason);
    }

    private void StrikeOff(ShardMember member, string reason)
    {
        (member.IsLive, member.IsUpdating, member.IsSilent) = (false, false, false);
        _survived.ShardsLost++;
        RevokeReduction($"shard {member.Shard} is lost before the commit");
        CountFailure(member, $"shard {member.Shard}", reason);
    }

    /// <summary>All members of a node are lost at once, and that is said in one sentence: nothing is leased to one of them while the others are struck off.</summary>
    private DropReason LoseNode(NodeLost lost)
    {
        if (_nodes.TryGetValue(lost.Node.Number, out var node))
        {
            _survived.NodesLost += node is { IsLive: true, IsDrained: false } ? 1 : 0;
            node.IsLive = false;
        }

        WorkerMember[] workers = [.. _workers.Values.Where(member => member.IsLive && member.Node == lost.Node)];
        ShardMember[] shards = [.. _shards.Where(member => member.IsLive && member.Node == lost.Node)];
        string[] names = [.. workers.Select(member => $"worker {member.Worker}"), .. shards.Select(member => $"shard {member.Shard}")];
        var reason = $"node {lost.Node} is lost: {lost.Reason}";
        if (names.Length > 0)
        {
            Say($"{Join(names)} {(names.Length == 1 ? "is" : "are")} lost at step {Fence.Step}: {reason}");
        }

        foreach (var member in workers)
        {
            StrikeOff(member, reason);
        }

        foreach (var member in shards)
        {
            StrikeOff(member, reason);
        }

        return DropReason.None;
    }
}
