using System.Diagnostics;
using Akka.Actor;
using Cllm.Actors.Threads;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Local;

/// <summary>Runs a <see cref="Shard"/>. Its reducing and updating is done on the actor's own thread, between two messages.</summary>
internal sealed class ShardActor : UntypedActor, IEffectPerformer
{
    private readonly ProcessRun _run;
    private readonly IActorRef _coordinator;
    private readonly ShardIndex _shard;
    private readonly Incarnation _incarnation;
    private readonly IShardPeers _peers;
    private readonly Shard _machine;
    private readonly MachineRunner _runner;
    private double[] _blockNorms = [];
    private IShardCompute? _compute;

    /// <summary>The reduction that waits for gradients of other processes; none most of the time.</summary>
    private ReduceSlice? _gathering;

    public ShardActor(ProcessRun run, IActorRef coordinator, ShardIndex shard)
    {
        (_run, _coordinator, _shard) = (run, coordinator, shard);
        _peers = run.PeersOf(shard, Self);
        var slot = run.Shards[shard.Number];
        _incarnation = new(++slot.Incarnation);
        _machine = new(new() { Shard = shard, Incarnation = _incarnation, Node = run.Node, Epoch = run.NewestEpoch, Slice = slot.Slice });
        _runner = new(_machine, this);
    }

    public Input? Perform(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                _coordinator.Tell(send.Message, Self);
                return null;
            case Note note:
                _coordinator.Tell(new Noted($"shard {_shard} {note.Reason}"), Self);
                return null;
            case ExpectGradients expected:
                _peers.Expect(expected);
                return null;
            case ReduceSlice reduce when !_peers.Gather(reduce):
                _gathering = reduce;
                return null;
            case ReduceSlice or UpdateSlice:
                return Compute(effect);
            case SendSlice sending:
                _peers.Send(sending);
                return null;
            default:
                throw Invariant.Broken($"a shard's host performs no {effect.GetType().Name}");
        }
    }

    protected override void OnReceive(object message)
    {
        var input = Own.InputIn(message);
        if (input is MachineStarted or CoordinatorStarted && _compute is null)
        {
            _compute = _run.CreateShard(_shard);
            _blockNorms = new double[_compute.Blocks];
        }

        switch (message)
        {
            case ReductionOrdered or StepCommitted or GradientsExpected when _peers.IsRestoring:
                break;
            case Own or Input:
                Feed(input!);
                break;
            case GradientsGathered gathered when gathered.Work == _gathering:
                _gathering = null;
                Feed(Compute(gathered.Work));
                break;
            case GradientsGathered:
                break;
            case ShardPeersMessage told when _peers.Take(told, Sender) is { } result:
                Feed(result);
                break;
            case ShardPeersMessage:
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PreRestart(Exception reason, object message)
    {
        _coordinator.Tell(new ShardLost(_shard, _incarnation, reason.Message), Self);
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        Self.Tell(new Own(new MachineStarted()), Self);
    }

    protected override void PostStop()
    {
        _peers.Dispose();
        _compute?.Dispose();
        _compute = null;
    }

    private void Feed(Input input)
    {
        _runner.Feed(input);
        if (_gathering is { } work && _machine.IsOutdated)
        {
            // A newer order has come: the machine drops what this one gives, so it need not be computed.
            _peers.CancelGathering();
            _gathering = null;
            Feed(new SliceReduced(work.Epoch, work.Step, Payload.Empty));
        }
    }

    private Input Compute(Effect work)
    {
        ActorThreads.HandOn();
        var startedAt = Stopwatch.GetTimestamp();
        _run.Gradients.BeginReading();
        try
        {
            return work is ReduceSlice reduce ? Reduce(reduce) : Update((UpdateSlice)work);
        }
        finally
        {
            _run.Gradients.EndReading();
            _run.Counters.Reduced(startedAt);
        }
    }

    private SliceReduced Reduce(ReduceSlice work)
    {
        var sources = _peers.Find(work.Sources);
        _run.SumChanges(_shard);
        _compute!.Reduce(work.Step.Number, sources, _blockNorms);
        return new(work.Epoch, work.Step, Words.Of(_blockNorms));
    }

    private SliceUpdated Update(UpdateSlice work)
    {
        var sources = _peers.Find(work.Sources);
        var scalars = Words.Scalars(work.Payload);
        _run.SumStands(_shard, work.Step, scalars);
        _run.BeginUpdate(_shard, work.Step);
        try
        {
            _compute!.Apply(work.Step.Number, sources, scalars);
            _run.SliceStands(_shard, work.Step.Next);
        }
        finally
        {
            _run.EndUpdate(_shard);
        }

        return new(work.Epoch, work.Step);
    }
}
