using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Coordination;

/// <content>Between two steps: evaluation, checkpoint, pause, end; in that order when due.</content>
public sealed partial class Coordinator
{
    /// <summary>The newest step that was evaluated, or that the run began with.</summary>
    private Step _evaluated;

    /// <summary>The newest step whose state is in a checkpoint or on its way into one, or that the run began with.</summary>
    private Step _checkpointed;

    /// <summary>The checkpoint being written; none most of the time, and never two.</summary>
    private Step? _writing;

    /// <summary>Whether the state is being copied for it: nobody may change a slice.</summary>
    private bool _isCopying;

    /// <summary>A checkpoint is due by cadence or asked for; taken at the first boundary at which none is being written.</summary>
    private bool _isCheckpointDue;

    /// <summary>Why the run has ended, once it has.</summary>
    private string _endReason = "";

    private bool _isStopWanted;
    private bool _isPauseWanted;

    private bool IsCheckpointStep => _settings.CheckpointEvery > 0 && Fence.Step.Number % _settings.CheckpointEvery == 0;

    /// <summary>Whether the run stands between two steps with nothing under way.</summary>
    private bool IsAtBoundary => Phase is CoordinatorPhase.Paused or CoordinatorPhase.AwaitingMembers;

    private bool IsAtEnd => Fence.Step.Number == _settings.Steps;

    /// <summary>Goes on from a step boundary with whatever is due.</summary>
    private void Continue()
    {
        BeginLeases(0);
        GrantLeaves();
        DrainNodes();
        RenewEpoch();
        var isLeaving = IsAtEnd || _isStopWanted;
        if (IsEvaluationDue())
        {
            StartEvaluation();
        }
        else if (_writing is not null && isLeaving)
        {
            Phase = CoordinatorPhase.AwaitingCheckpoint;
        }
        else if (_writing is null && (_isCheckpointDue || (isLeaving && Fence.Step.Number > _checkpointed.Number)))
        {
            TakeCheckpoint();
        }
        else if (IsAtEnd)
        {
            End(RunOutcome.Finished, $"all {_settings.Steps} steps are done");
        }
        else if (_isStopWanted)
        {
            End(RunOutcome.Stopped, $"stopped as asked before step {Fence.Step}");
        }
        else if (_isPauseWanted)
        {
            Phase = CoordinatorPhase.Paused;
            SayOnce($"paused before step {Fence.Step}");
            PlanMove(mayWait: true);
        }
        else if (LiveNodes < _settings.NodesMin)
        {
            AwaitMembers($"step {Fence.Step} waits for nodes: {LiveNodes} of {_settings.NodesMin} are there");
        }
        else
        {
            StartStep();
        }
    }

    private void TakeCheckpoint()
    {
        if (!AreShardsLive())
        {
            AwaitMembers($"the checkpoint at step {Fence.Step} waits for all shards");
            return;
        }

        Phase = CoordinatorPhase.Snapshotting;
        _isCheckpointDue = false;
        _isCopying = true;
        _writing = Fence.Step;
        _effects.Add(new TakeCheckpoint(Fence.Epoch, Fence.Step));
    }

    private void AwaitMembers(string reason)
    {
        if (Phase != CoordinatorPhase.AwaitingMembers)
        {
            Phase = CoordinatorPhase.AwaitingMembers;
            Progress();
        }

        SayOnce(reason);
        PlanMove(mayWait: true);
    }

    private DropReason RequestCheckpoint()
    {
        _isCheckpointDue = true;
        Say($"a checkpoint is asked for at step {Fence.Step}");
        if (IsAtBoundary)
        {
            ContinueOrRestore();
        }

        return DropReason.None;
    }

    /// <summary>Between two steps an epoch can be left without any loss: done when a shard has been moved so often in this one that numbers get scarce.</summary>
    private void RenewEpoch()
    {
        if (Array.Exists(_shards, shard => !shard.Incarnation.HasMovesLeft(Fence.Epoch)))
        {
            BeginEpoch("shards have been moved very often in the one before");
        }
    }

    private bool IsEvaluationDue() =>
        _settings is { EvaluationUnits: > 0, EvaluateEvery: > 0 }
        && Fence.Step.Number > _evaluated.Number
        && (IsAtEnd || Fence.Step.Number % _settings.EvaluateEvery == 0);

    private void StartEvaluation()
    {
        Phase = CoordinatorPhase.Evaluating;
        Progress();
        BeginLeases(_settings.EvaluationUnits);
        EndPassingOver();
        LeasePending();
    }

    private void LeaseEvaluation()
    {
        var units = _leases.PendingUnits();
        for (var i = 0; i < _assignable.Length; i++)
        {
            var (at, end) = LeafPlan.Cut(units.Length, _assignable.Length, i);
            while (at < end)
            {
                var first = at++;
                while (at < end && units[at] == units[at - 1] + 1)
                {
                    at++;
                }

                Lease(_assignable[i], _leases.Give(_assignable[i].Worker, units[first], at - first, default, _nowTicks));
            }
        }
    }

    private void EndEvaluation(Payload loss)
    {
        _evaluated = Fence.Step;
        _effects.Add(new EvaluationReported(Fence.Step, loss));
        ContinueOrRestore();
    }

    private void EndSnapshot()
    {
        _checkpointed = Fence.Step;
        _isCopying = false;
        ContinueOrRestore();
    }

    /// <summary>The writing of a checkpoint is over, well or badly; training may have gone on for many steps since.</summary>
    private DropReason EndWriting(Step step, string? failure, string digest)
    {
        if (_writing != step)
        {
            return DropReason.NotAwaited;
        }

        Progress();
        (_writing, _isCopying) = (null, false);
        if (failure is null)
        {
            _effects.Add(new CheckpointReported(step, digest));
        }
        else
        {
            Say($"the checkpoint at step {step} could not be written: {failure}");
        }

        if (Phase == CoordinatorPhase.Restoring)
        {
            StartRestore();
        }
        else if (Phase is CoordinatorPhase.AwaitingCheckpoint or CoordinatorPhase.Snapshotting || (IsAtBoundary && _isCheckpointDue))
        {
            // As long as a slice does not stand at that step, there is no state to write: the run goes back first.
            if (failure is not null && step == Fence.Step && (IsAtEnd || _isStopWanted) && AreShardsLive() && !IsGoingBack)
            {
                End(RunOutcome.Failed, $"the run stands at step {step}, but its checkpoint could not be written: {failure}");
            }
            else
            {
                ContinueOrRestore();
            }
        }

        return DropReason.None;
    }

    private void ContinueOrRestore()
    {
        if (_restoreReason is not null)
        {
            TryRestore();
        }
        else
        {
            Continue();
        }
    }

    private DropReason Stop()
    {
        if (!_isStopWanted)
        {
            _isStopWanted = true;
            Say($"asked to stop at step {Fence.Step}");
        }

        if (Phase == CoordinatorPhase.Assembling && Fence.Step == _checkpointed)
        {
            End(RunOutcome.Stopped, $"stopped as asked before step {Fence.Step}");
        }
        else if (IsAtBoundary)
        {
            ContinueOrRestore();
        }
        else
        {
            AbandonIfAlone();
        }

        return DropReason.None;
    }

    private DropReason Resume()
    {
        _isPauseWanted = false;
        if (Phase == CoordinatorPhase.Paused)
        {
            ContinueOrRestore();
        }

        return DropReason.None;
    }

    /// <summary>A run that is to stop and has no worker left gives the step or evaluation up: the state before it is whole.</summary>
    private void AbandonIfAlone()
    {
        if (!_isStopWanted || _assignable.Length > 0 || _leases.Pending == 0)
        {
            return;
        }

        if (Phase == CoordinatorPhase.Evaluating)
        {
            _evaluated = Fence.Step;
        }

        BeginEpoch("there is no worker left to finish with before the stop");
        ContinueOrRestore();
    }

    private void End(RunOutcome outcome, string reason)
    {
        // Before the start nothing is leased, and the epoch not persisted: it may yet be another coordinator's.
        var hasStarted = Phase != CoordinatorPhase.Assembling;
        (Phase, _endReason) = (CoordinatorPhase.Ended, reason);
        BeginLeases(0);
        if (hasStarted)
        {
            Tell(Destination.EveryWorker, new BuffersReleased(Fence.Epoch, Fence.Step, _leases.First));
        }

        _effects.Add(new RunEnded(outcome, Fence.Step, reason));
    }
}
