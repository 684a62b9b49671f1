using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Workers;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>Replays what a worker is told. It computes when the transcript says that it has: until then its weights are not there.</summary>
internal sealed class WorkerReplay : Replay
{
    private readonly WorkerSettings _settings;
    private readonly ScriptedRun _run;
    private readonly Dictionary<LeaseId, Step> _steps = [];

    public WorkerReplay(TranscriptSystem system, Scene scene)
        : base(system, scene)
    {
        _settings = TranscriptText.ReadSettings(new WorkerSettings { Worker = new(0), Incarnation = new(1) }, scene.Words.Skip(1));
        Host = new(asked: Log.Add);
        _run = new(Host, leaves: 4, shards: 1, workers: _settings.Worker.Number + 1, _settings.Node, _settings.Epoch);
        _run.Workers[_settings.Worker.Number].Incarnation = _settings.Incarnation.Number - 1;
        var (run, coordinator, worker) = (_run, Someone("coordinator"), _settings.Worker);
        Actor = system.Sys.ActorOf(Props.Create(() => new WorkerActor(run, coordinator, worker)));
    }

    protected override ScriptedHost Host { get; }

    protected override void Tell(Entry[] entries)
    {
        var input = entries[0].Input;
        if (input is NodeComputed or UnitsEvaluated)
        {
            Host.Give(input);
            _run.WeightsAt = _steps[input is NodeComputed computed ? computed.Lease : ((UnitsEvaluated)input).Lease];
            Actor.Tell(WeightsArrived.Instance, ActorRefs.NoSender);
        }
        else
        {
            Actor.Tell(input is IMessage ? input : new Own(input), ActorRefs.NoSender);
        }
    }

    protected override IEnumerable<string> Expect(Effect effect) => effect switch
    {
        Note note => [NoteOf($"worker {_settings.Worker}", note)],
        Send or ReleaseBuffers => [Write(effect)],
        _ => [],
    };

    protected override void Check(Effect[] effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case ComputeNode compute:
                    _steps[compute.Lease] = compute.Step;
                    break;
                case EvaluateUnits evaluate:
                    _steps[evaluate.Lease] = evaluate.Step;
                    break;
                case WorkerLeft:
                    Assert.False(Settle());
                    break;
            }
        }
    }
}

/// <summary>Replays what a shard is told. It reduces when the transcript says that it has: until then the gradients are not there.</summary>
internal sealed class ShardReplay : Replay
{
    private readonly ShardSettings _settings;
    private readonly ScriptedPeers _peers;

    public ShardReplay(TranscriptSystem system, Scene scene)
        : base(system, scene)
    {
        _settings = TranscriptText.ReadSettings(
            new ShardSettings { Shard = new(0), Incarnation = new(1), Slice = new(0) }, scene.Words.Skip(1));
        Host = new(scene.Entries.Select(entry => entry.Input).OfType<SliceReduced>().FirstOrDefault()?.Payload.Words.Length ?? 1);
        var run = new ScriptedRun(Host, leaves: 4, shards: 2, workers: 0, _settings.Node, _settings.Epoch);
        _peers = run.Peers;
        var slot = run.Shards[_settings.Shard.Number];
        (slot.Incarnation, slot.Slice) = (_settings.Incarnation.Number - 1, _settings.Slice);
        var (coordinator, shard) = (Someone("coordinator"), _settings.Shard);
        Actor = system.Sys.ActorOf(Props.Create(() => new ShardActor(run, coordinator, shard)));
    }

    protected override ScriptedHost Host { get; }

    public static bool IsDoneAtOnce(Effect work) => work is UpdateSlice;

    protected override void Tell(Entry[] entries)
    {
        var input = entries[0].Input;
        switch (input)
        {
            case SliceReduced:
                Host.Give(input);
                Actor.Tell(new GradientsGathered(_peers.Gathering!), ActorRefs.NoSender);
                break;
            case SliceSent:
                Actor.Tell(new PeersSaid(input), ActorRefs.NoSender);
                break;
            default:
                Actor.Tell(input is IMessage ? input : new Own(input), ActorRefs.NoSender);
                break;
        }
    }

    protected override IEnumerable<string> Expect(Effect effect) => effect switch
    {
        Note note => [NoteOf($"shard {_settings.Shard}", note)],
        Send => [Write(effect)],
        _ => [],
    };

    protected override void Check(Effect[] effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case SendSlice sending:
                    Assert.Equal(sending, _peers.Sending);
                    break;
                case ExpectGradients expected:
                    Assert.Equal(Write(expected), Write(_peers.Expected!));
                    break;
            }
        }
    }
}

/// <summary>A process in which weights and gradients are there when a transcript says so.</summary>
internal sealed class ScriptedRun(IRunHost host, int leaves, int shards, int workers, NodeId node, Epoch epoch)
    : ProcessRun(host, leaves, shards, slice: null, workers, firstWorker: 0)
{
    public override NodeId Node => node;

    public override Epoch NewestEpoch => epoch;

    public ScriptedPeers Peers { get; } = new();

    /// <summary>The step whose weights are there, for one piece of work.</summary>
    public Step? WeightsAt { get; set; }

    public override bool AreWeightsAt(Step step)
    {
        var areThere = WeightsAt == step;
        WeightsAt = areThere ? null : WeightsAt;
        return areThere;
    }

    public override void AwaitWeights(Epoch epoch, Step step, IActorRef worker)
    {
    }

    public override IShardPeers PeersOf(ShardIndex shard, IActorRef self) => Peers;
}

/// <summary>What the other processes are to a shard.</summary>
internal sealed class ScriptedPeers : IShardPeers
{
    public bool IsRestoring => false;

    /// <summary>The reduction whose gradients were asked for last.</summary>
    public ReduceSlice? Gathering { get; private set; }

    /// <summary>The gradients that were said to come last.</summary>
    public ExpectGradients? Expected { get; private set; }

    /// <summary>The copy that was asked for last.</summary>
    public SendSlice? Sending { get; private set; }

    public void Expect(ExpectGradients work) => Expected = work;

    public bool Gather(ReduceSlice work)
    {
        Gathering = work;
        return false;
    }

    public void CancelGathering()
    {
    }

    public ReadOnlySpan<GradientSource> Find(ReductionSource[] sources) => [];

    public void Send(SendSlice work) => Sending = work;

    public Input? Take(ShardPeersMessage message, IActorRef sender) => ((PeersSaid)message).Input;

    public void Dispose()
    {
    }
}

/// <summary>Something has ended at the other processes.</summary>
internal sealed record PeersSaid(Input Input) : ShardPeersMessage;
