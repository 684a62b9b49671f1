using System.Diagnostics;
using Akka.Actor;
using Cllm.Actors.Threads;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Workers;

namespace Cllm.Actors.Local;

/// <summary>Runs a <see cref="Worker"/>. Its computing is done on the actor's own thread, between two messages.</summary>
/// <remarks>
/// Work for which the weights of its step are not here yet waits without blocking the actor: so it still hears that a lease is void, and no answer is ever
/// made that was not computed.
/// </remarks>
internal sealed class WorkerActor : UntypedActor, IEffectPerformer
{
    private readonly ProcessRun _run;
    private readonly IActorRef _coordinator;
    private readonly WorkerId _worker;
    private readonly Incarnation _incarnation;
    private readonly Worker _machine;
    private readonly MachineRunner _runner;
    private readonly double[] _leafLosses;
    private readonly double[] _unitLosses;

    /// <summary>Tells the board how much of a sum is final; none where nobody waits for a part of one.</summary>
    private readonly GradientSettled? _settled;
    private IWorkerCompute? _compute;

    /// <summary>The lease that is computed, or was computed last.</summary>
    private LeaseId _lease;

    /// <summary>Work that waits for weights; none most of the time.</summary>
    private Work? _waiting;

    /// <summary>Whether the weights changed while that was computed.</summary>
    private bool _isTorn;

    public WorkerActor(ProcessRun run, IActorRef coordinator, WorkerId worker)
    {
        (_run, _coordinator, _worker) = (run, coordinator, worker);
        _incarnation = new(++run.Workers[worker.Number - run.FirstWorker].Incarnation);
        _machine = new(new() { Worker = worker, Incarnation = _incarnation, Node = run.Node, Epoch = run.NewestEpoch });
        _runner = new(_machine, this);
        _leafLosses = new double[run.Tree.Leaves];
        _unitLosses = new double[run.Host.EvaluationUnits];
        _settled = run.Gradients.Changed is null ? null : (buffer, offset) => run.Gradients.Hold(worker, new(_lease, buffer), offset);
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
            case ComputeNode node:
                return Compute(node, node.Step);
            case EvaluateUnits units:
                return Compute(units, units.Step);
            case ReleaseBuffers:
                _compute!.ReleaseBuffers();
                _run.Gradients.Release(_worker);
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
        if (input is MachineStarted or CoordinatorStarted && _compute is null)
        {
            // Here and not in the constructor: what fails here is this actor's failure, and counts as one.
            _compute = _run.Host.CreateWorker(_worker.Number);
            _run.Gradients.Enter(_worker, _compute);
        }

        switch (message)
        {
            case WeightsArrived:
                GoOn();
                break;
            case Own or Input:
                _runner.Feed(input!);
                GiveUpIfVoid();
                break;
            default:
                Unhandled(message);
                break;
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

    /// <summary>
    /// Computes with the weights of a step. Where they are not here it waits, and so it does where they changed meanwhile: the run has gone on, or back, and
    /// the lease is about to be void.
    /// </summary>
    private Input? Compute(Work work, Step step)
    {
        var version = _run.WeightsVersion;
        if (_run.AreWeightsAt(step))
        {
            ActorThreads.HandOn();
            Input? result = work is ComputeNode node ? ComputeNode(node, version) : Evaluate((EvaluateUnits)work, version);
            if (result is not null)
            {
                return result;
            }

            _isTorn = true;
        }

        _waiting = work;
        _run.AwaitWeights(_machine.LeaseEpoch, step, Self);
        return null;
    }

    private void GoOn()
    {
        if (_waiting is { } work)
        {
            // Parts of the sum may have been read already: what is computed again must have another name.
            Invariant.Holds(!_isTorn, "the weights of the lease's step changed while it was computed, and are back");
            _waiting = null;
            if (Perform(work) is { } result)
            {
                _runner.Feed(result);
                GiveUpIfVoid();
            }
        }
    }

    /// <summary>The machine drops the result of a void lease, so there need not be one.</summary>
    private void GiveUpIfVoid()
    {
        while (_waiting is { } work && _machine.IsAtVoidLease)
        {
            if (_isTorn)
            {
                // Whoever was outrun is passed over until he is heard of, and his answer is not.
                _runner.Feed(new MachineStarted());
            }

            (_waiting, _isTorn) = (null, false);
            _runner.Feed(work is ComputeNode node
                ? new NodeComputed(node.Lease, -1, Payload.Empty)
                : new UnitsEvaluated(((EvaluateUnits)work).Lease, Payload.Empty));
        }
    }

    private NodeComputed? ComputeNode(ComputeNode work, long version)
    {
        var losses = _leafLosses.AsSpan(0, _run.Tree.Count(work.Node));
        var startedAt = Stopwatch.GetTimestamp();
        _lease = work.Lease;
        _run.Gradients.Begin(_worker, _lease);
        var buffer = _compute!.ComputeNode(work.Step.Number, work.Node.Level, work.Node.Index, losses, _settled);
        _run.Counters.Computed(_worker.Number - _run.FirstWorker, losses.Length, startedAt);
        if (_run.WeightsVersion != version)
        {
            return null;
        }

        _run.Gradients.Hold(_worker, new(work.Lease, buffer));
        return new(work.Lease, buffer, Words.Of(losses));
    }

    private UnitsEvaluated? Evaluate(EvaluateUnits work, long version)
    {
        var losses = _unitLosses.AsSpan(0, work.Count);
        var startedAt = Stopwatch.GetTimestamp();
        _compute!.Evaluate(work.Step.Number, work.First, work.Count, losses);
        _run.Counters.Computed(_worker.Number - _run.FirstWorker, 0, startedAt);
        return _run.WeightsVersion == version ? new(work.Lease, Words.Of(losses)) : null;
    }
}
