using Cllm.Actors;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a shard's actor does, in virtual time.</summary>
internal sealed class ShardHost : SimulatedActor
{
    private const long ReduceTicks = Scenario.Second / 100;
    private const long RetryTicks = Scenario.Second / 5;

    private readonly ShardSeat _seat;
    private readonly double[] _norms;
    private readonly GradientSource[] _sources;
    private readonly IShardCompute _compute;

    /// <summary>The slice that is being sent.</summary>
    private object? _copy;

    /// <summary>The slice before its last update, kept only to plant a fault.</summary>
    private object? _before;

    public ShardHost(SimulatedCluster cluster, ShardSeat seat, Shard machine)
        : base(cluster, seat.Node, machine)
    {
        (_seat, Machine) = (seat, machine);
        _compute = cluster.Arithmetic.Host.CreateShard(seat.Number, cluster.ShardCount);
        _norms = new double[_compute.Blocks];
        _sources = new GradientSource[cluster.Scenario.Leaves];
    }

    public Shard Machine { get; }

    public ShardSeat Seat => _seat;

    /// <summary>Whether an update is under way: if it breaks off, the slice is neither step's.</summary>
    public bool IsUpdating { get; private set; }

    public override Destination Address => Destination.Of(new ShardIndex(_seat.Number));

    /// <summary>Ends a piece of work, if the gradients can be reached; else goes on trying.</summary>
    public void Finish(object work)
    {
        if (work is SendSlice send)
        {
            var isBroken = Cluster.Strikes(FaultKind.BrokenTransfer);
            Feed(new SliceSent(send.Step, send.Replica, isBroken ? "the transfer broke off" : Cluster.Store(_seat, send, _copy!)));
            return;
        }

        var sources = work is ReduceSlice toReduce ? toReduce.Sources : ((UpdateSlice)work).Sources;
        if (!AreReachable(sources))
        {
            Work(RetryTicks, work);
            return;
        }

        if (!Find(sources))
        {
            Cluster.Fail(_seat, "a gradient is not there any more");
            return;
        }

        var found = _sources.AsSpan(0, sources.Length);
        if (work is ReduceSlice reduce)
        {
            _compute.Reduce(reduce.Step.Number, found, _norms);
            Feed(new SliceReduced(reduce.Epoch, reduce.Step, Words.Of(_norms)));
        }
        else if (work is UpdateSlice update)
        {
            Update(update, found);
            IsUpdating = false;
            _seat.Slice = update.Step.Number + 1;
            Feed(new SliceUpdated(update.Epoch, update.Step));
        }
    }

    private void Update(UpdateSlice update, ReadOnlySpan<GradientSource> sources)
    {
        var version = Cluster.Arithmetic.Version;
        var other = Cluster.Owners[_seat.Number] == _seat ? null : Cluster.Arithmetic.Save(_seat.Number);
        if (other is not null)
        {
            // Nobody's orders but those of a coordinator that is over: the slice that counts stays as it is.
            Cluster.Arithmetic.Load(_seat.Number, _seat.Copy ?? other);
        }

        _before = Cluster.Scenario.Plant == PlantedFault.ReplicaOneStepOld ? Cluster.Arithmetic.Save(_seat.Number) : null;
        _compute.Apply(update.Step.Number, sources, Words.Scalars(update.Payload));
        if (Cluster.Scenario.Plant == PlantedFault.UpdateAppliedTwice && Cluster.Dice.Chance(0.01))
        {
            _compute.Apply(update.Step.Number, sources, Words.Scalars(update.Payload));
        }

        Cluster.Arithmetic.Changed();
        if (other is not null)
        {
            _seat.Copy = Cluster.Arithmetic.Save(_seat.Number);
            Cluster.Arithmetic.Load(_seat.Number, other);
            Cluster.Arithmetic.Version = version;
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Cluster.SendToCoordinator(Node, send.Message);
                return null;
            case ReduceSlice reduce:
                return Work(Cluster.Jitter(ReduceTicks), reduce);
            case UpdateSlice update:
                IsUpdating = true;
                _seat.Slice = null;
                return Work(Cluster.Jitter(ReduceTicks), update);
            case SendSlice sending:
                _copy = _before ?? (Cluster.Owners[_seat.Number] == _seat ? Cluster.Arithmetic.Save(_seat.Number) : _seat.Copy!);
                return Work(Cluster.Jitter(ReduceTicks), sending);
            default:
                return null;
        }
    }

    private bool AreReachable(ReductionSource[] sources)
    {
        foreach (var source in sources)
        {
            var holder = Cluster.Workers[source.Worker.Number].Node;
            if (holder != Node && holder.IsUp && (holder.PausedUntilTicks > Cluster.NowTicks || !Cluster.Network.Reaches(Node, holder)))
            {
                return false;
            }
        }

        return true;
    }

    private bool Find(ReductionSource[] sources)
    {
        try
        {
            for (var i = 0; i < sources.Length; i++)
            {
                _sources[i] = Cluster.Gradients.Find(sources[i]);
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
