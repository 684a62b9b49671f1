using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a shard's actor does, in virtual time.</summary>
internal sealed class ShardHost : SimulatedActor, IDisposable
{
    private const long ReduceTicks = Scenario.Second / 100;

    private readonly ShardSeat _seat;
    private readonly double[] _norms;
    private readonly GradientSource[] _sources;
    private readonly IShardCompute _compute;

    /// <summary>Fetches gradients of other processes; none in a run of a single one.</summary>
    private readonly GradientFetches? _fetches;

    /// <summary>The reduction that waits for gradients of other processes; none most of the time.</summary>
    private ReduceSlice? _gathering;

    /// <summary>The slice before its last update, kept only to plant a fault.</summary>
    private object? _before;

    public ShardHost(SimulatedCluster cluster, ShardSeat seat, Shard machine)
        : base(cluster, seat.Node, machine)
    {
        (_seat, Machine) = (seat, machine);
        _compute = cluster.Arithmetic.Host.CreateShard(seat.Number, cluster.ShardCount);
        _norms = new double[_compute.Blocks];
        _sources = new GradientSource[cluster.Scenario.Leaves];
        _fetches = cluster.IsCluster ? new(cluster, this, seat.Number) : null;
    }

    public Shard Machine { get; }

    public ShardSeat Seat => _seat;

    /// <summary>Whether an update is under way: if it breaks off, the slice is neither step's.</summary>
    public bool IsUpdating { get; private set; }

    public override Destination Address => Destination.Of(new ShardIndex(_seat.Number));

    /// <summary>The slice before its last update, kept only to plant a fault.</summary>
    public object? Before => _before;

    /// <summary>Ends a piece of work.</summary>
    public void Finish(object work)
    {
        if (work is SendSlice send)
        {
            Cluster.Offer(_seat, this, send);
            return;
        }

        if (Find(work is ReduceSlice toReduce ? toReduce.Sources : ((UpdateSlice)work).Sources) is not { } count)
        {
            Cluster.Fail(_seat, "a gradient is not there any more");
            return;
        }

        var found = _sources.AsSpan(0, count);
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
            Cluster.Stand(_seat);
            Feed(new SliceUpdated(update.Epoch, update.Step));
        }
    }

    /// <summary>The gradients of a reduction have come.</summary>
    public void Gathered(ReduceSlice work)
    {
        if (_gathering == work)
        {
            _gathering = null;
            Work(Cluster.Jitter(ReduceTicks), work);
        }
    }

    public void Dispose() => _fetches?.Dispose();

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
            case ReduceSlice reduce when _fetches?.Begin(reduce) == false:
                _gathering = reduce;
                return null;
            case ReduceSlice reduce:
                return Work(Cluster.Jitter(ReduceTicks), reduce);
            case UpdateSlice update:
                IsUpdating = true;
                _seat.Slice = null;
                Node.Slices?.Change(_seat.Number);
                return Work(Cluster.Jitter(ReduceTicks), update);
            case SendSlice sending:
                return Work(Cluster.Jitter(ReduceTicks), sending);
            default:
                return null;
        }
    }

    /// <summary>A newer order has come: the machine drops what the older one gives, so it need not be computed.</summary>
    protected override void Fed()
    {
        if (_gathering is { } work && Machine.IsOutdated)
        {
            _fetches!.Cancel();
            _gathering = null;
            Feed(new SliceReduced(work.Epoch, work.Step, Payload.Empty));
        }
    }

    private int? Find(ReductionSource[] sources)
    {
        if (_fetches is not null)
        {
            return _fetches.Find(sources, _sources);
        }

        for (var i = 0; i < sources.Length; i++)
        {
            if (Cluster.Gradients.Look(sources[i], 0, out _sources[i]) != GradientState.Ready)
            {
                return null;
            }
        }

        return sources.Length;
    }
}
