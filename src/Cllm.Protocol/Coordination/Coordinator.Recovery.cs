namespace Cllm.Protocol.Coordination;

/// <content>What is done again when a member was lost, and the way back to a checkpoint when it cannot be done again.</content>
public sealed partial class Coordinator
{
    /// <summary>Why the run has to go back to a checkpoint; none when it has not to.</summary>
    private string? _restoreReason;

    private bool _isRestoreStarted;

    /// <summary>Whether the next restore loses nothing: it gives the nodes of a run that begins its state.</summary>
    private bool _isBeginning;

    /// <summary>Whether the run goes back to a checkpoint as soon as it can: a slice of its step is lost.</summary>
    public bool IsGoingBack => _restoreReason is not null;

    /// <summary>Does again what the change of members has undone.</summary>
    private void Recover()
    {
        if (Phase == CoordinatorPhase.Ended || (Phase == CoordinatorPhase.Restoring && (_isRestoreStarted || _restoreReason is null)))
        {
            return;
        }

        if (Phase == CoordinatorPhase.Assembling && AreShardsLive())
        {
            JudgeSlices();
        }

        if (_restoreReason is not null)
        {
            TryRestore();
        }

        switch (Phase)
        {
            case CoordinatorPhase.Assembling:
                Assemble();
                break;
            case CoordinatorPhase.AwaitingMembers when _restoreReason is null:
                Continue();
                break;
            case CoordinatorPhase.Computing when _leases.Complete:
                OrderReduction();
                break;
            case CoordinatorPhase.Computing or CoordinatorPhase.Evaluating:
                LeasePending();
                AbandonIfAlone();
                OccupyAll();
                break;
            case CoordinatorPhase.Applying when _restoreReason is null && Array.TrueForAll(_shards, shard => shard.IsUpdated):
                EndStep();
                break;
        }
    }

    private void Assemble()
    {
        if (AreEnoughThere && AreShardsLive() && _restoreReason is null)
        {
            _effects.Add(new Persist(Fence.Epoch, Fence.Step));
            Continue();
        }
    }

    private bool AreEnoughThere => _assignable.Length >= _settings.WorkersToStart && LiveNodes >= _settings.NodesToStart;

    private bool AreShardsLive() => Array.TrueForAll(_shards, shard => shard.IsLive);

    /// <summary>Goes back to a checkpoint as soon as no shard is at its slice and no copy of the state is being taken.</summary>
    private void TryRestore()
    {
        if (_isCopying)
        {
            return;
        }

        if (AreShardsLive() && !Array.Exists(_shards, shard => shard.IsUpdating))
        {
            BeginEpoch(_restoreReason!);
            Phase = CoordinatorPhase.Restoring;
            _restoreReason = null;
            _isRestoreStarted = false;
            _moving = null;
            BeginLeases(0);
            StartRestore();
        }
    }

    /// <summary>A checkpoint that is being written is a newer one to go back to: it is waited for.</summary>
    private void StartRestore()
    {
        if (_writing is null && !_isRestoreStarted)
        {
            _isRestoreStarted = true;
            _effects.Add(new Restore(Fence.Epoch));
        }
    }

    private DropReason TakeRestored(Restored restored)
    {
        if (Phase != CoordinatorPhase.Restoring || restored.Epoch != Fence.Epoch)
        {
            return DropReason.NotAwaited;
        }

        // It may be a later one than that of this coordinator: it was written in an earlier life of this host, or could not be read the time before. Its bits are those
        // to which the run would come.
        Invariant.Holds(restored.Step.Number <= _settings.Steps, $"step {restored.Step} is not behind the last of {_settings.Steps}");
        var isGiven = _isBeginning && restored.Step == Fence.Step;
        _isBeginning = false;
        _survived.Restores += isGiven ? 0 : 1;
        Say(isGiven ? $"all shards have the state of step {restored.Step}"
            : restored.Step.Number <= Fence.Step.Number ? $"back at step {restored.Step} from step {Fence.Step}"
            : $"at step {restored.Step} of a later checkpoint, from step {Fence.Step}");
        Fence.Step = _checkpointed = restored.Step;
        Array.ForEach(_shards, shard => shard.ReplicaStep = null);
        _furthest = new(Math.Max(_furthest.Number, restored.Step.Number));
        _isCheckpointDue = _isRestoreStarted = false;
        Progress();
        _effects.Add(new Persist(Fence.Epoch, Fence.Step));

        // A slice may have been lost meanwhile: then all shards have to be there once more, and the next restore follows.
        Phase = CoordinatorPhase.Assembling;
        ContinueOrRestore();
        return DropReason.None;
    }

    private DropReason TakeRestoreFailed(RestoreFailed failed)
    {
        if (Phase != CoordinatorPhase.Restoring || failed.Epoch != Fence.Epoch)
        {
            return DropReason.NotAwaited;
        }

        End(RunOutcome.Failed, $"the run cannot go back to a checkpoint from step {Fence.Step}: {failed.Reason}");
        return DropReason.None;
    }
}
