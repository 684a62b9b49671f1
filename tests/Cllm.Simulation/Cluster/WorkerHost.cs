using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Workers;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a worker's actor does, in virtual time.</summary>
internal sealed class WorkerHost : SimulatedActor
{
    private readonly WorkerSeat _seat;
    private readonly WorkerId _worker;
    private readonly SimulatedProcess _process;
    private readonly ProcessRun _run;
    private readonly SimulatedRef _self;
    private readonly double[] _losses;

    /// <summary>From where on the sum came to be final, one after another.</summary>
    private readonly List<int> _offsets = [];
    private long _startVersion;
    private long _weightsVersion;

    /// <summary>Work that waits for weights; none most of the time.</summary>
    private Effect? _waiting;

    /// <summary>Whether the weights changed while that was computed.</summary>
    private bool _isTorn;

    public WorkerHost(SimulatedCluster cluster, WorkerSeat seat, Worker machine)
        : base(cluster, seat.Node, machine)
    {
        (_seat, Machine, _worker, _process) = (seat, machine, new(seat.Number), seat.Node.Process!);
        _run = _process.Run;
        _self = new(cluster, seat.Node, Address, this);
        Compute = _process.Host.CreateWorker(seat.Number);
        _losses = new double[Math.Max(cluster.Scenario.Leaves, cluster.Scenario.EvaluationUnits)];
        _run.Gradients.Enter(_worker, Compute);
    }

    public Worker Machine { get; }

    public IWorkerCompute Compute { get; }

    public WorkerSeat Seat => _seat;

    /// <summary>Buffers handed out and not released.</summary>
    public int BuffersHeld { get; private set; }

    public override Destination Address => Destination.Of(_worker);

    /// <summary>The worker is no more, and what it holds.</summary>
    public void End()
    {
        _run.Gradients.Leave(_worker);
        Compute.Dispose();
    }

    /// <summary>Ends a piece of work.</summary>
    public void Finish(object work)
    {
        if (work is Settling settling)
        {
            Settle(settling);
            return;
        }

        var step = work is ComputeNode leased ? leased.Step : ((EvaluateUnits)work).Step;
        _process.Host.IsTorn = _startVersion != _process.Version || !_run.AreWeightsAt(step);
        if (_process.Host.IsTorn && Cluster.IsTracing)
        {
            Cluster.Trace($"  the weights changed while {Address} computed");
        }

        if (_run.WeightsVersion != _weightsVersion)
        {
            _isTorn = true;
            Wait(step, (Effect)work);
            Fed();
        }
        else if (work is ComputeNode node)
        {
            ComputeNode(node);
        }
        else if (work is EvaluateUnits units)
        {
            var losses = _losses.AsSpan(0, units.Count);
            Compute.Evaluate(units.Step.Number, units.First, units.Count, losses);
            Feed(new UnitsEvaluated(units.Lease, Words.Of(losses)));
        }
    }

    protected override void Take(object message, IActorRef sender)
    {
        if (message is WeightsArrived && _waiting is { } work)
        {
            if (_isTorn)
            {
                Cluster.Fail(_seat, "the weights of the lease's step changed while it was computed, and are back");
                return;
            }

            _waiting = null;
            Do(work);
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Cluster.SendToCoordinator(Node, send.Message);
                return null;
            case ComputeNode node:
                return Begin(node.Step, Cluster.Tree.Count(node.Node) * Cluster.Scenario.LeafTicks, node);
            case EvaluateUnits units:
                return Begin(units.Step, units.Count * Cluster.Scenario.LeafTicks / 3, units);
            case ReleaseBuffers:
                if (Cluster.Scenario.Plant != PlantedFault.BuffersNotReturned)
                {
                    Compute.ReleaseBuffers();
                    _run.Gradients.Release(_worker);
                    BuffersHeld = 0;
                }

                return null;
            case WorkerLeft:
                Cluster.LetGo(_seat);
                return null;
            default:
                return null;
        }
    }

    protected override void Fail() => Cluster.Fail(_seat, "what it was at threw");

    /// <summary>The machine drops the result of a void lease, so there need not be one.</summary>
    protected override void Fed()
    {
        if (_waiting is { } work && Machine.IsAtVoidLease)
        {
            var isTorn = _isTorn;
            (_waiting, _isTorn) = (null, false);
            if (isTorn)
            {
                Feed(new MachineStarted());
            }

            Feed(work is ComputeNode node
                ? new NodeComputed(node.Lease, -1, Payload.Empty)
                : new UnitsEvaluated(((EvaluateUnits)work).Lease, Payload.Empty));
        }
    }

    private Input? Begin(Step step, long ticks, Effect work)
    {
        if (!_run.AreWeightsAt(step))
        {
            Wait(step, work);
            return null;
        }

        (_startVersion, _weightsVersion) = (_process.Version, _run.WeightsVersion);
        if (work is ComputeNode node)
        {
            _run.Gradients.Begin(_worker, node.Lease);
            if (Cluster.Scenario.Plant == PlantedFault.GradientSentBeforeFinal)
            {
                _run.Gradients.Hold(_worker, new(node.Lease, BuffersHeld));
            }
        }

        return Work(Cluster.Jitter(ticks), work);
    }

    private void Wait(Step step, Effect work)
    {
        _waiting = work;
        _run.AwaitWeights(Machine.LeaseEpoch, step, _self);
    }

    /// <summary>Computes, and in a cluster has a part of the sum be final before the whole is, as it is amid a backward pass.</summary>
    private void ComputeNode(ComputeNode node)
    {
        var losses = _losses.AsSpan(0, Cluster.Tree.Count(node.Node));
        _offsets.Clear();
        var buffer = Compute.ComputeNode(node.Step.Number, node.Node.Level, node.Node.Index, losses, Cluster.IsCluster ? Note : null);
        BuffersHeld++;
        Settle(new(node, buffer, Words.Of(losses), _offsets.Count == 0 ? null : _offsets[Cluster.Dice.Below(_offsets.Count)]));
    }

    private void Note(int buffer, int offset) => _offsets.Add(offset);

    private void Settle(Settling at)
    {
        if (at.Offset is { } offset)
        {
            _run.Gradients.Hold(_worker, new(at.Node.Lease, at.Buffer), offset);
            Work(Cluster.Jitter(Cluster.Scenario.LeafTicks / 10), at with { Offset = null });
            return;
        }

        _run.Gradients.Hold(_worker, new(at.Node.Lease, at.Buffer));
        Feed(new NodeComputed(at.Node.Lease, at.Buffer, at.Losses));
    }

    /// <summary>A sum that is final from an offset on; all of it when there is none.</summary>
    private sealed record Settling(ComputeNode Node, int Buffer, Payload Losses, int? Offset);
}
