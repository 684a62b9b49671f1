using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a shard's actor does, in virtual time, around the program's own <see cref="IShardPeers"/>.</summary>
internal sealed class ShardHost : SimulatedActor, IDisposable
{
    private readonly ShardSeat _seat;
    private readonly ShardIndex _shard;
    private readonly ProcessRun _run;
    private readonly double[] _norms;
    private readonly IShardCompute _compute;
    private readonly IShardPeers _peers;

    /// <summary>What came while the actor computed, and is taken when it has.</summary>
    private readonly Queue<object> _mailbox = [];

    /// <summary>The reduction that waits for gradients of other processes; none most of the time.</summary>
    private ReduceSlice? _gathering;

    /// <summary>The sources that were reduced last.</summary>
    private ReductionSource[]? _reduced;

    public ShardHost(SimulatedCluster cluster, ShardSeat seat, Shard machine)
        : base(cluster, seat.Node, machine)
    {
        (_seat, Machine, _shard, _run) = (seat, machine, new(seat.Number), seat.Process.Run);
        _compute = _run.CreateShard(_shard);
        _norms = new double[_compute.Blocks];
        _peers = _run.PeersOf(_shard, seat.Ref);
    }

    public Shard Machine { get; }

    public ShardSeat Seat => _seat;

    /// <summary>Whether it computes.</summary>
    public bool IsWorking { get; private set; }

    /// <summary>Whether an update is under way: if it breaks off, the slice is neither step's.</summary>
    public bool IsUpdating { get; private set; }

    public override Destination Address => Destination.Of(new ShardIndex(_seat.Number));

    public override void Take(Input message)
    {
        if (_mailbox.Count > 0)
        {
            _mailbox.Enqueue(message);
        }
        else
        {
            Accept(message);
        }
    }

    /// <summary>Ends a piece of work.</summary>
    public void Finish(object work)
    {
        IsWorking = false;
        if (Find(work is ReduceSlice toReduce ? toReduce.Sources : ((UpdateSlice)work).Sources, out var sources))
        {
            if (work is ReduceSlice reduce)
            {
                _compute.Reduce(reduce.Step.Number, sources, _norms);
                _reduced = reduce.Sources;
                Feed(new SliceReduced(reduce.Epoch, reduce.Step, Words.Of(_norms)));
            }
            else
            {
                Update((UpdateSlice)work, sources);
            }

            while (!IsWorking && IsAlive && !_seat.IsStopping && _mailbox.TryDequeue(out var message))
            {
                if (message is Told told)
                {
                    Take(told);
                }
                else
                {
                    Accept((Input)message);
                }
            }
        }
    }

    public void Dispose()
    {
        _peers.Dispose();
        _compute.Dispose();
    }

    protected override void Take(object message, IActorRef sender)
    {
        if (IsWorking)
        {
            _mailbox.Enqueue(new Told(message, sender));
            return;
        }

        switch (message)
        {
            case Input input:
                Accept(input);
                break;
            case GradientsGathered gathered when gathered.Work == _gathering:
                _gathering = null;
                Begin(gathered.Work);
                break;
            case RestoreOrdered order when Cluster.Scenario.Plant == PlantedFault.RestoreSkipsShard && Cluster.Dice.Chance(0.2):
                _run.SliceStands(_shard, order.Step);
                sender.Tell(new SliceIsRestored(order.Epoch, _shard, null), _seat.Ref);
                Feed(new SliceRestored(order.Epoch, order.Step));
                break;
            case ShardPeersMessage told:
                if (told is RestoreOrdered)
                {
                    Cluster.AtTurn(Node);
                }

                Take(told, sender);
                break;
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Cluster.SendToCoordinator(Node, send.Message);
                return null;
            case ExpectGradients expected:
                _peers.Expect(expected);
                return null;
            case ReduceSlice reduce when !_peers.Gather(reduce):
                _gathering = reduce;
                return null;
            case ReduceSlice reduce:
                return Begin(reduce);
            case UpdateSlice update:
                SimulationViolation.Unless(ReferenceEquals(update.Sources, _reduced), "updates", $"shard {_shard} updates with what it has not reduced");
                _run.SumStands(_shard, update.Step, Words.Scalars(update.Payload));
                BeginUpdate(update.Step);
                (IsUpdating, IsWorking) = (true, true);
                return Work(Cluster.Jitter(Cluster.Scenario.ReduceTicks), update);
            case SendSlice sending:
                _peers.Send(sending);
                return null;
            default:
                return null;
        }
    }

    protected override void Fail() => Cluster.Fail(_seat, "what it was at threw");

    /// <summary>A newer order has come: the machine drops what the older one gives, so it need not be computed.</summary>
    protected override void Fed()
    {
        if (_gathering is { } work && Machine.IsOutdated)
        {
            _peers.CancelGathering();
            _gathering = null;
            Feed(new SliceReduced(work.Epoch, work.Step, Payload.Empty));
        }
    }

    private void Accept(Input message)
    {
        if (!(message is ReductionOrdered or StepCommitted or GradientsExpected && _peers.IsRestoring))
        {
            Feed(message);
        }
    }

    private void Take(ShardPeersMessage told, IActorRef sender)
    {
        Input? result;
        try
        {
            result = _peers.Take(told, sender);
        }
        catch (InvalidOperationException failure)
        {
            Cluster.Fail(_seat, failure.Message);
            return;
        }

        if (result is not null)
        {
            Feed(result);
        }
    }

    private void BeginUpdate(Step step)
    {
        try
        {
            _run.BeginUpdate(_shard, step);
        }
        catch (InvalidOperationException)
        {
            throw new ActorFailed();
        }
    }

    private Input? Begin(ReduceSlice work)
    {
        IsWorking = true;
        _run.SumChanges(_shard);
        return Work(Cluster.Jitter(Cluster.Scenario.ReduceTicks), work);
    }

    /// <returns>Whether all gradients are there; if not, the actor has failed.</returns>
    private bool Find(ReductionSource[] sources, out ReadOnlySpan<GradientSource> found)
    {
        try
        {
            found = _peers.Find(sources);
            return true;
        }
        catch (InvalidOperationException failure)
        {
            found = default;
            Cluster.Fail(_seat, failure.Message);
            return false;
        }
    }

    private void Update(UpdateSlice update, ReadOnlySpan<GradientSource> sources)
    {
        var scalars = Words.Scalars(update.Payload);
        _compute.Apply(update.Step.Number, sources, scalars);
        if (Cluster.Scenario.Plant == PlantedFault.UpdateAppliedTwice && Cluster.Dice.Chance(0.01))
        {
            _compute.Apply(update.Step.Number, sources, scalars);
        }

        _seat.Process.Version++;
        IsUpdating = false;
        _run.SliceStands(_shard, update.Step.Next);
        _run.EndUpdate(_shard);
        Feed(new SliceUpdated(update.Epoch, update.Step));
    }
}
