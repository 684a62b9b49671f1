using System.Diagnostics;
using Akka.Actor;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Workers;

namespace Cllm.Actors.Local;

/// <summary>Runs a <see cref="Worker"/>. Its computing is done on the actor's own thread, between two messages.</summary>
internal sealed class WorkerActor : UntypedActor, IEffectPerformer
{
    private readonly LocalRun _run;
    private readonly IActorRef _coordinator;
    private readonly WorkerId _worker;
    private readonly Incarnation _incarnation;
    private readonly MachineRunner _runner;
    private readonly double[] _leafLosses;
    private readonly double[] _unitLosses;
    private IWorkerCompute? _compute;

    public WorkerActor(LocalRun run, IActorRef coordinator, WorkerId worker)
    {
        (_run, _coordinator, _worker) = (run, coordinator, worker);
        _incarnation = new(++run.Workers[worker.Number].Incarnation);
        _runner = new(new Worker(new() { Worker = worker, Incarnation = _incarnation }), this);
        _leafLosses = new double[run.Settings.Leaves];
        _unitLosses = new double[run.Settings.EvaluationUnits];
    }

    public Input? Perform(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                _coordinator.Tell(send.Message, Self);
                return null;
            case Note note:
                _coordinator.Tell(new Noted($"worker {_worker} {note.Reason}"), Self);
                return null;
            case ComputeNode work:
                return ComputeNode(work);
            case EvaluateUnits work:
                var losses = _unitLosses.AsSpan(0, work.Count);
                var startedAt = Stopwatch.GetTimestamp();
                _compute!.Evaluate(work.Step.Number, work.First, work.Count, losses);
                _run.Counters.Computed(_worker.Number, 0, startedAt);
                return new UnitsEvaluated(work.Lease, Words.Of(losses));
            case ReleaseBuffers:
                _compute!.ReleaseBuffers();
                return null;
            case WorkerLeft:
                Context.Stop(Self);
                return null;
            default:
                throw Invariant.Broken($"a worker's host performs no {effect.GetType().Name}");
        }
    }

    protected override void OnReceive(object message)
    {
        var input = Own.InputIn(message);
        if (input is MachineStarted && _compute is null)
        {
            // Here and not in the constructor: what fails here is this actor's failure, and counts as one.
            _compute = _run.Host.CreateWorker(_worker.Number);
            _run.Gradients.Enter(_worker, _compute);
        }

        if (input is not null)
        {
            _runner.Feed(input);
        }
        else
        {
            Unhandled(message);
        }
    }

    protected override void PreRestart(Exception reason, object message)
    {
        _coordinator.Tell(new WorkerLost(_worker, _incarnation, reason.Message), Self);
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        Self.Tell(new Own(new MachineStarted()), Self);
    }

    protected override void PostStop()
    {
        _run.Gradients.Leave(_worker);
        _compute?.Dispose();
        _compute = null;
    }

    private NodeComputed ComputeNode(ComputeNode work)
    {
        var losses = _leafLosses.AsSpan(0, _run.Tree.Count(work.Node));
        var startedAt = Stopwatch.GetTimestamp();
        var buffer = _compute!.ComputeNode(work.Step.Number, work.Node.Level, work.Node.Index, losses);
        _run.Counters.Computed(_worker.Number, losses.Length, startedAt);
        _run.Gradients.Hold(_worker, new(work.Lease, buffer));
        return new(work.Lease, buffer, Words.Of(losses));
    }
}
