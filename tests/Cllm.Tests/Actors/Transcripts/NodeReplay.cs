using Akka.Actor;
using Akka.TestKit;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>Replays what a node is told. It has a worker, and starts the shards that it is given: those are the program's own actors too.</summary>
internal sealed class NodeReplay : Replay
{
    private readonly ReplayedProcess _process;
    private readonly TaskCompletionSource<TrainingEnd> _end = new();

    /// <summary>The coordinator that has admitted the node: its members' words are passed on to that one.</summary>
    private readonly TestProbe _coordinator;

    public NodeReplay(TranscriptSystem system, Scene scene)
        : base(system, scene)
    {
        var settings = TranscriptText.ReadSettings(new NodeSettings { Node = new(0), Run = new("c0", "t0", 1) }, scene.Words.Skip(1));
        _process = new(system.Sys, settings.Node.Number, settings.Run, leaves: 4, shards: 4, workers: 1);
        _coordinator = system.CreateTestProbe();
        var (run, log, any, end) = (_process.Run, Log, Someone("coordinator"), _end);
        Actor = system.Sys.ActorOf(Props.Create(() => new NodeActor(run, log, any, end)));
    }

    protected override ScriptedHost? Host => null;

    public override void Dispose()
    {
        base.Dispose();
        _process.Dispose();
    }

    protected override void Tell(Entry[] entries)
    {
        var input = entries[0].Input;
        switch (input)
        {
            case MachineStarted:
                // The actor has told its machine when it was made.
                break;
            case LeaveRequested:
                Actor.Tell(new LeaveWanted(), ActorRefs.NoSender);
                break;
            default:
                Actor.Tell(input is IMessage ? input : new Own(input), _coordinator);
                break;
        }
    }

    protected override IEnumerable<string> Expect(Effect effect) => effect switch
    {
        Note note => [NoteOf("this node", note)],
        Send or DeadlineSet => [Write(effect)],
        _ => [],
    };

    protected override void Check(Effect[] effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case AnnounceMembers:
                    var worker = new WorkerId(_process.Run.FirstWorker);
                    _coordinator.FishForMessage(message => message is WorkerStarted started && started.Worker == worker && started.Node == _process.Run.Node);
                    break;
                case StartShard start:
                    _coordinator.FishForMessage(message =>
                        message is ShardStarted started && (started.Shard, started.Incarnation, started.Node) == (start.Shard, start.Incarnation, _process.Run.Node));
                    break;
                case NodeRefused refused:
                    Assert.Equal((refused.Reason, true), (_end.Task.Result.Sentence, _end.Task.Result.IsRefused));
                    break;
                case NodeLeft:
                    Assert.Equal((RunOutcome.Stopped, false), (_end.Task.Result.Outcome, _end.Task.Result.IsRefused));
                    break;
            }
        }
    }
}
