using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.TestKit;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>Replays what a coordinator is told: through the actor of a single process, or through that of a cluster.</summary>
internal sealed partial class CoordinatorReplay : Replay
{
    /// <summary>The process that coordinates is none of a transcript's nodes: any of those may leave without taking the coordinator along.</summary>
    private const int OwnNode = 1_000_000;

    private readonly bool _isCluster;
    private readonly CoordinatorRun _run;
    private readonly ReplayedProcess? _process;
    private readonly TestProbe _parent;
    private readonly Dictionary<string, Member> _members = [];
    private readonly List<string> _workers = [];
    private readonly List<string> _shards = [];
    private readonly List<RestoreOrdered> _orders = [];
    private Persist? _persisted;
    private Input _told = new MachineStarted();
    private bool _isSnapshotWanted;
    private Step _snapshot;
    private Epoch _held;
    private bool _hasEnded;

    public CoordinatorReplay(TranscriptSystem system, Scene scene, bool isCluster)
        : base(system, scene)
    {
        _isCluster = isCluster;
        Host = new(asked: line => LogUnless(isCluster && !line.StartsWith("Combine", StringComparison.Ordinal), line));
        var settings = TranscriptText.ReadSettings(
            new CoordinatorSettings { Leaves = 4, Steps = 1, Shards = 1, WorkersToStart = 1 }, scene.Words.Skip(1));
        _parent = system.CreateTestProbe();
        if (isCluster)
        {
            _run = new(Host, Log, settings, new("", 0, settings.Leaves));
            _process = new(system.Sys, OwnNode, settings.Run, settings.Leaves, settings.Shards, workers: 0);
            _process.Run.NodeActor = Someone("process", Hear);
            var (coordination, process) = (_run, _process.Run);
            Actor = _parent.ChildActorOf(Props.Create(() => new ClusterCoordinatorActor(coordination, process)));
            foreach (var node in NodesOf(scene))
            {
                Actor.Tell(new NodeLocated(new(node), _process.Run.Channel.Address, MayCoordinate: false, IsMember: true), MemberAt($"node:{node}"));
            }
        }
        else
        {
            var run = new LocalRun(Host, Log, settings, workers: 16);
            _run = run.Coordinator;
            Actor = _parent.ChildActorOf(Props.Create(() => new LocalCoordinatorActor(run)));
        }

        Settle();
    }

    protected override ScriptedHost Host { get; }

    public static bool IsDoneAtOnce(Effect work, bool isCluster) => work is CombineStatistics or CombineEvaluation || (!isCluster && work is TakeCheckpoint or Restore);

    public override void Dispose()
    {
        base.Dispose();
        _process?.Dispose();
    }

    protected override void Tell(Entry[] entries)
    {
        var input = _told = entries[0].Input;
        var isSnapshot = _isSnapshotWanted && input is SnapshotTaken or CheckpointFailed;
        var isRestore = (input is Restored restored && restored.Epoch == _held) || (input is RestoreFailed failed && failed.Epoch == _held);
        if (isSnapshot || isRestore)
        {
            Host.Give(input);
        }

        foreach (var found in entries.Skip(1))
        {
            Host.Give(found.Input);
        }

        switch (input)
        {
            case WorkerStarted started:
                Actor.Tell(input, Announced($"worker:{started.Worker}", _workers));
                break;
            case ShardStarted started:
                Actor.Tell(input, Announced($"shard:{started.Shard}", _shards));
                break;
            case NodeJoining joining:
                Actor.Tell(input, MemberAt($"node:{joining.Node}"));
                break;
            case IMessage:
                Actor.Tell(input, MemberAt("anybody"));
                break;
            case SnapshotTaken or CheckpointFailed when isSnapshot:
                _isSnapshotWanted = false;
                for (var shard = 0; shard < _process!.Run.Shards.Length; shard++)
                {
                    _process.Run.Slices.Stand(shard, SliceParts.All, _snapshot.Number);
                }

                Actor.Tell(new StateGathered(_snapshot, null), _process.Run.NodeActor);
                break;
            case CheckpointWritten or CheckpointFailed:
                Host.Write(input);
                Assert.True(_run.Writing.Wait(TimeSpan.FromSeconds(30)), "the checkpoint is not written");
                break;
            case Restored or RestoreFailed when isRestore:
                Actor.Tell(new SlicesHeld(_held), _process!.Run.NodeActor);
                Settle();
                foreach (var order in _orders)
                {
                    Actor.Tell(new SliceIsRestored(order.Epoch, order.Shard, null), MemberAt($"shard:{order.Shard}"));
                }

                _orders.Clear();
                break;
            default:
                Actor.Tell(new Own(input), ActorRefs.NoSender);
                break;
        }
    }

    protected override IEnumerable<string> Expect(Effect effect)
    {
        if (IsPassedOn(_told))
        {
            return [];
        }

        switch (effect)
        {
            case Persist:
                return [];
            case Send { To.Kind: DestinationKind.EveryWorker } send:
                return _workers.Select(worker => $"{worker} {Write(send.Message)}");
            case Send { To.Kind: DestinationKind.EveryShard } send:
                return _shards.Select(shard => $"{shard} {Write(send.Message)}");
            case Work:
                return [EpochOf().Replace(Write(effect), "")];
            default:
                return [Write(effect)];
        }
    }

    protected override void Check(Effect[] effects)
    {
        if (IsPassedOn(_told))
        {
            _parent.ExpectMsg<NodeJoining>();
        }

        _persisted = effects.OfType<Persist>().LastOrDefault() ?? _persisted;
        if (_persisted is { } state)
        {
            Assert.Equal((state.Epoch, state.Step.Number), (_run.Epoch, _run.CommittedSteps));
        }

        if (effects.OfType<RunEnded>().Any())
        {
            var end = _parent.ExpectMsg<TrainingEnd>();
            Log.Add(Write(new RunEnded(end.Outcome, new(end.CommittedSteps), end.Sentence)));
            _hasEnded = true;
        }
    }

    /// <summary>The coordinator's place answers whoever comes when the run is over: with how it has ended, where the machine would refuse it.</summary>
    private bool IsPassedOn(Input told) => _isCluster && _hasEnded && told is NodeJoining;

    [GeneratedRegex(" Epoch=[0-9]+")]
    private static partial Regex EpochOf();

    private static SortedSet<int> NodesOf(Scene scene)
    {
        var nodes = new SortedSet<int>();
        foreach (var entry in scene.Entries)
        {
            nodes.Add(entry.Input switch
            {
                WorkerStarted started => started.Node.Number,
                ShardStarted started => started.Node.Number,
                NodeJoining joining => joining.Node.Number,
                _ => 0,
            });
        }

        return nodes;
    }

    private void LogUnless(bool isTold, string line)
    {
        if (!isTold)
        {
            Log.Add(line);
        }
    }

    /// <summary>What the coordinator asks of its own process.</summary>
    private void Hear(object message)
    {
        switch (message)
        {
            case StateWanted wanted:
                (_isSnapshotWanted, _snapshot) = (true, wanted.Step);
                Log.Add($"TakeCheckpoint Step={wanted.Step}");
                break;
            case HoldSlices hold:
                _held = hold.Epoch;
                Log.Add("Restore");
                break;
        }
    }

    private Member Announced(string name, List<string> known)
    {
        if (!known.Contains(name))
        {
            known.Add(name);
        }

        return MemberAt(name);
    }

    private Member MemberAt(string name)
    {
        if (!_members.TryGetValue(name, out var member))
        {
            member = Someone(name, message => _orders.AddRange(new[] { message }.OfType<RestoreOrdered>()));
            _members.Add(name, member);
        }

        return member;
    }
}
