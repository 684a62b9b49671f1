using Cllm.Actors;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Workers;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a worker's actor does, in virtual time.</summary>
internal sealed class WorkerHost : SimulatedActor
{
    private readonly WorkerSeat _seat;
    private readonly double[] _losses;
    private long _startVersion;

    /// <summary>Work that waits for weights; none most of the time.</summary>
    private Effect? _waiting;

    public WorkerHost(SimulatedCluster cluster, WorkerSeat seat, Worker machine)
        : base(cluster, seat.Node, machine)
    {
        (_seat, Machine) = (seat, machine);
        Compute = cluster.Arithmetic.Host.CreateWorker(seat.Number);
        _losses = new double[Math.Max(cluster.Scenario.Leaves, cluster.Scenario.EvaluationUnits)];
        cluster.Gradients.Enter(new(seat.Number), Compute);
    }

    public Worker Machine { get; }

    public IWorkerCompute Compute { get; }

    /// <summary>Buffers handed out and not released.</summary>
    public int BuffersHeld { get; private set; }

    public override Destination Address => Destination.Of(new WorkerId(_seat.Number));

    /// <summary>Grows whenever a weight changes that this worker reads.</summary>
    private long Version => Node.Slices?.Version ?? Cluster.Arithmetic.Version;

    /// <summary>The weights that were waited for may have come.</summary>
    public void GoOn()
    {
        if (_waiting is { } work)
        {
            _waiting = null;
            Do(work);
        }
    }

    /// <summary>Ends a piece of work.</summary>
    public void Finish(object work)
    {
        Cluster.Arithmetic.IsTorn = _startVersion != Version;
        Cluster.Arithmetic.ComputeFrom(Node.Slices?.Weights);
        if (Cluster.Arithmetic.IsTorn && Cluster.IsTracing)
        {
            Cluster.Trace($"  the weights changed while {Address} computed");
        }

        if (work is ComputeNode node)
        {
            var losses = _losses.AsSpan(0, Cluster.Tree.Count(node.Node));
            var buffer = Compute.ComputeNode(node.Step.Number, node.Node.Level, node.Node.Index, losses);
            Cluster.Arithmetic.ComputeFrom(null);
            BuffersHeld++;
            Cluster.Gradients.Hold(new(_seat.Number), new(node.Lease, buffer));
            Feed(new NodeComputed(node.Lease, buffer, Words.Of(losses)));
        }
        else if (work is EvaluateUnits units)
        {
            var losses = _losses.AsSpan(0, units.Count);
            Compute.Evaluate(units.Step.Number, units.First, units.Count, losses);
            Cluster.Arithmetic.ComputeFrom(null);
            Feed(new UnitsEvaluated(units.Lease, Words.Of(losses)));
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
                return Begin(node.Step.Number, Cluster.Tree.Count(node.Node) * Cluster.Scenario.LeafTicks, node);
            case EvaluateUnits units:
                return Begin(units.Step.Number, units.Count * Cluster.Scenario.LeafTicks / 3, units);
            case ReleaseBuffers:
                if (Cluster.Scenario.Plant != PlantedFault.BuffersNotReturned)
                {
                    Compute.ReleaseBuffers();
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

    /// <summary>The machine drops the result of a void lease, so there need not be one.</summary>
    protected override void Fed()
    {
        if (_waiting is { } work && Machine.IsAtVoidLease)
        {
            _waiting = null;
            Feed(work is ComputeNode node
                ? new NodeComputed(node.Lease, -1, Payload.Empty)
                : new UnitsEvaluated(((EvaluateUnits)work).Lease, Payload.Empty));
        }
    }

    private Input? Begin(long step, long ticks, Effect work)
    {
        if (Node.Slices is { } slices && !slices.AreAt(step))
        {
            _waiting = work;
            slices.Want(Machine.LeaseEpoch, step);
            return null;
        }

        _startVersion = Version;
        return Work(Cluster.Jitter(ticks), work);
    }
}
