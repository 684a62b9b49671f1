using Akka.Actor;
using Cllm.Actors.Inspection;
using Cllm.Actors.Threads;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Local;

/// <summary>Runs the <see cref="Coordinator"/>, tells the observer what it reports, and its parent when the run has ended.</summary>
internal abstract class CoordinatorActor : UntypedActor, IEffectPerformer
{
    private readonly CoordinatorRun _run;
    private readonly MachineRunner _runner;
    private readonly IScheduler _clock = Context.System.Scheduler;

    private ICancelable? _deadline;

    protected CoordinatorActor(CoordinatorRun run)
    {
        _run = run;
        Machine = new(run.Settings);
        _runner = new(Machine, this);
        run.Inspector.CoordinatorBegins();
    }

    public long NowTicks => _clock.HighResMonotonicClock.Ticks;

    /// <summary>The machine.</summary>
    protected Coordinator Machine { get; }

    public Input? Perform(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Send(send);
                return null;
            case Persist state:
                // Nothing to write: a successor in this process finds it in memory, and one in a new process goes on from a checkpoint or from the shards.
                (_run.Epoch, _run.CommittedSteps) = (state.Epoch, state.Step.Number);
                Persisted(state);
                return null;
            case DeadlineSet deadline:
                SetDeadline(deadline);
                return null;
            case Note note:
                _run.Note(note.Reason);
                return null;
            case Report report:
                Tell(report);
                return null;
            case Work work:
                return Perform(work);
            case RunEnded end:
                Context.Parent.Tell(new TrainingEnd(end.Step.Number, end.Outcome, end.Reason), Self);
                return null;
            default:
                throw Invariant.Broken($"a coordinator's host performs no {effect.GetType().Name}");
        }
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case WorkerStarted started:
                _run.WorkerAddresses[started.Worker.Number] = Sender;
                break;
            case ShardStarted started:
                Locate(started);
                break;
            case StopRequested:
                _run.IsStopWanted = true;
                break;
            case Noted noted:
                _run.Note(noted.Reason);
                return;
            case RunAsked:
                Sender.Tell(new RunSeen(View()), Self);
                return;
            case RunOrder order:
                Take(order);
                return;
        }

        if (Own.InputIn(message) is { } input)
        {
            Feed(input);
        }
        else
        {
            Unhandled(message);
        }
    }

    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        RunMeter.CoordinatorFailed();
        _run.Note($"the coordinator failed at step {_run.CommittedSteps} and is started again: {reason.Message}");
        Self.Tell(new Own(new MachineStarted()), Self);
        if (_run.IsStopWanted)
        {
            Self.Tell(new StopRequested(), Self);
        }
    }

    protected override void PostStop() => _deadline?.Cancel();

    /// <summary>Sees to it that the inspector has heard of what all processes have done.</summary>
    protected abstract void Inspect();

    /// <summary>The node that the coordinator is on; none where no other can join the run.</summary>
    protected virtual NodeId? Node => null;

    /// <summary>Whether another process could take the run over now, and stays.</summary>
    protected virtual bool IsSuccessorThere => false;

    /// <summary>A shard has said where it is.</summary>
    protected virtual void Locate(ShardStarted started) => _run.ShardAddresses[started.Shard.Number] = Sender;

    /// <summary>The epoch or the step that hold have changed.</summary>
    protected virtual void Persisted(Persist state)
    {
    }

    /// <summary>A checkpoint is on disk.</summary>
    protected virtual void Checkpointed()
    {
    }

    /// <summary>Sends to a node, or to all.</summary>
    protected abstract void SendToNodes(Send send);

    /// <summary>Copies the state of the run; the writing follows on a thread of its own.</summary>
    /// <returns>What the machine is told, unless that follows later.</returns>
    protected abstract Input? TakeCheckpoint(TakeCheckpoint take);

    /// <summary>Brings all slices back to a checkpoint.</summary>
    /// <returns>What the machine is told, unless that follows later.</returns>
    protected abstract Input? Restore(Restore restore);

    /// <summary>Feeds the machine, and counts what it has lost by it.</summary>
    protected void Feed(Input input)
    {
        _runner.Feed(input);
        _run.Inspector.Follow(Machine.Faults);
    }

    private RunView View()
    {
        Inspect();
        return _run.Inspector.View(Machine.View(NowTicks), Node);
    }

    private void Take(RunOrder order)
    {
        var (input, answer) = OperatorOrders.Of(order, Machine.View(NowTicks), Node, IsSuccessorThere);
        Sender.Tell(answer, Self);
        if (input is not null)
        {
            Feed(input);
        }
    }

    private void Send(Send send)
    {
        // Whoever has gone meanwhile, or has not announced itself yet, is told again when he does.
        switch (send.To.Kind)
        {
            case DestinationKind.Worker:
                _run.WorkerAddresses.GetValueOrDefault(send.To.Index, ActorRefs.Nobody).Tell(send.Message, Self);
                break;
            case DestinationKind.Shard:
                _run.ShardAddresses.GetValueOrDefault(send.To.Index, ActorRefs.Nobody).Tell(send.Message, Self);
                break;
            case DestinationKind.EveryWorker:
                TellAll(_run.WorkerAddresses, send.Message);
                break;
            case DestinationKind.EveryShard:
                TellAll(_run.ShardAddresses, send.Message);
                break;
            case DestinationKind.Node or DestinationKind.EveryNode:
                SendToNodes(send);
                break;
            default:
                throw Invariant.Broken("a coordinator sends nothing to itself");
        }
    }

    protected void TellAll(Dictionary<int, IActorRef> members, object message)
    {
        foreach (var member in members.Values)
        {
            member.Tell(message, Self);
        }
    }

    private void SetDeadline(DeadlineSet deadline)
    {
        var delay = TimeSpan.FromTicks(Math.Max(0, deadline.AtTicks - NowTicks));
        _deadline?.Cancel();
        _deadline = _clock.ScheduleTellOnceCancelable(delay, Self, new Own(new DeadlinePassed()), Self);
    }

    private void Tell(Report report)
    {
        switch (report)
        {
            case StepReported step:
                var scalars = Words.Scalars(step.Payload);
                _run.Inspector.Stepped(scalars, step.ElapsedTicks);
                _run.Observer.StepDone(step.Step.Number, scalars, TimeSpan.FromTicks(step.ElapsedTicks));
                break;
            case EvaluationReported evaluation:
                _run.Observer.EvaluationDone(evaluation.Step.Number, Words.Numbers(evaluation.Payload)[0]);
                break;
            case CheckpointReported checkpoint:
                _run.CheckpointedSteps = checkpoint.Step.Number;
                Checkpointed();
                RunMeter.Checkpointed();
                _run.Observer.CheckpointDone(checkpoint.Step.Number, checkpoint.Digest);
                break;
        }
    }

    private Input? Perform(Work work) => work switch
    {
        CombineStatistics combine => new StatisticsCombined(combine.Epoch, combine.Step, Words.Of(
            _run.Host.Combine(combine.Step.Number, Words.Numbers(combine.Leaves), Words.Numbers(combine.Shards)))),
        CombineEvaluation combine => new EvaluationCombined(combine.Epoch, combine.Step, Words.Of(
            [_run.Host.CombineEvaluation(combine.Step.Number, Words.Numbers(combine.Units))])),
        TakeCheckpoint take => TakeCheckpoint(take),
        Restore restore => Restore(restore),
        _ => throw Invariant.Broken($"a coordinator's host does no {work.GetType().Name}"),
    };

    /// <summary>Copies the state, which is all in this process's memory.</summary>
    protected void CopyState(Step step)
    {
        ActorThreads.HandOn();

        // A coordinator that failed may have left its checkpoint to be written; otherwise this is over long since.
        _run.Writing.Wait();
        _run.Host.TakeSnapshot(step.Number);
    }

    /// <summary>Has the copy of the state written.</summary>
    protected Input WriteCopy(TakeCheckpoint take)
    {
        // A thread of its own: writing takes seconds, and the shared pool carries the actor system.
        var (run, self, step) = (_run, Self, take.Step);
        _run.Writing = Task.Factory.StartNew(
            () => self.Tell(new Own(Write(run, step)), ActorRefs.NoSender), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        return new SnapshotTaken(take.Epoch, take.Step);
    }

    private static Input Write(CoordinatorRun run, Step step)
    {
        try
        {
            var digest = run.Host.WriteSnapshot(step.Number);
            run.HasDiskFailed = false;
            return new CheckpointWritten(step, digest);
        }
        catch (Exception failure)
        {
            // What has diverged would be the same elsewhere.
            run.HasDiskFailed = failure is not TrainingDivergedException;
            return new CheckpointFailed(step, failure.Message);
        }
    }
}
