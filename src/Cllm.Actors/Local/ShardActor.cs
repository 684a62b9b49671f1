using System.Diagnostics;
using Akka.Actor;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Local;

/// <summary>Runs a <see cref="Shard"/>. Its reducing and updating is done on the actor's own thread, between two messages.</summary>
internal sealed class ShardActor : UntypedActor, IEffectPerformer
{
    private readonly LocalRun _run;
    private readonly IActorRef _coordinator;
    private readonly ShardIndex _shard;
    private readonly ShardSlot _slot;
    private readonly Incarnation _incarnation;
    private readonly MachineRunner _runner;
    private readonly GradientSource[] _sources;
    private double[] _blockNorms = [];
    private IShardCompute? _compute;

    public ShardActor(LocalRun run, IActorRef coordinator, ShardIndex shard)
    {
        (_run, _coordinator, _shard, _slot) = (run, coordinator, shard, run.Shards[shard.Number]);
        _incarnation = new(++_slot.Incarnation);
        _runner = new(new Shard(new() { Shard = shard, Incarnation = _incarnation, Slice = _slot.Slice }), this);
        _sources = new GradientSource[run.Settings.Leaves];
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
            case ReduceSlice or UpdateSlice:
                var startedAt = Stopwatch.GetTimestamp();
                _run.Gradients.BeginReading();
                try
                {
                    return effect is ReduceSlice reduce ? Reduce(reduce) : Update((UpdateSlice)effect);
                }
                finally
                {
                    _run.Gradients.EndReading();
                    _run.Counters.Reduced(startedAt);
                }

            default:
                throw Invariant.Broken($"a shard's host performs no {effect.GetType().Name}");
        }
    }

    protected override void OnReceive(object message)
    {
        var input = Own.InputIn(message);
        if (input is MachineStarted && _compute is null)
        {
            _compute = _run.Host.CreateShard(_shard.Number, _run.Shards.Length);
            _blockNorms = new double[_compute.Blocks];
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
        _compute?.Dispose();
        _compute = null;
    }

    private SliceReduced Reduce(ReduceSlice work)
    {
        _compute!.Reduce(work.Step.Number, Find(work.Sources), _blockNorms);
        return new(work.Epoch, work.Step, Words.Of(_blockNorms));
    }

    private SliceUpdated Update(UpdateSlice work)
    {
        var sources = Find(work.Sources);
        _slot.Slice = null;
        _compute!.Apply(work.Step.Number, sources, Words.Scalars(work.Payload));
        _slot.Slice = work.Step.Next;
        return new(work.Epoch, work.Step);
    }

    private ReadOnlySpan<GradientSource> Find(ReductionSource[] sources)
    {
        for (var i = 0; i < sources.Length; i++)
        {
            _sources[i] = _run.Gradients.Find(sources[i]);
        }

        return _sources.AsSpan(0, sources.Length);
    }
}
