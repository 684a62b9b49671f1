using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;
using Cllm.Tests.Actors.Transcripts;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors;

/// <summary>
/// The machines' transcripts, all of them, through the actors that run the machines: inputs in, and the same messages to the same addresses, notes, deadlines,
/// reports and pieces of work out, in the same order.
/// </summary>
public sealed class TranscriptActorTests(TranscriptSystem system) : IClassFixture<TranscriptSystem>
{
    private const string BetweenTwoMessages = "a coordinator combines between two messages, so what comes meanwhile is taken after that";
    private const string GivenUp = "an actor gives up void work as soon as it hears that it is void, and does not first finish it";
    private const string OneProcess = " in one process";
    private const string UpdateFirst = "a shard updates between two messages, so what comes meanwhile is taken after that";

    /// <summary>Transcripts in which an actor takes the inputs in another order, or not all of them, and why. What it does then is what a machine does.</summary>
    private static readonly Dictionary<string, string> Otherwise = new()
    {
        ["coordinator-shard-restarted"] = BetweenTwoMessages,
        ["coordinator-stale-message"] = BetweenTwoMessages,
        ["coordinator-slice-lost-during-restore" + OneProcess] = "a single process has all slices in its memory, and restores them between two messages",
        ["worker-leave"] = "a worker that has left is no more, so nothing reaches it; and its actor has room for more leases than there are",
        ["shard-overtaken"] = GivenUp,
        ["shard-step"] = UpdateFirst,
        ["shard-new-coordinator"] = UpdateFirst,
    };

    public static TheoryData<string> Coordinators => Of("coordinator");

    /// <summary>Nodes and what only they do are not known to the coordinator of a single process.</summary>
    public static TheoryData<string> CoordinatorsOfOneProcess => new(Names("coordinator").Where(name => !IsOfNodes(name)));

    public static TheoryData<string> Workers => Of("worker");

    public static TheoryData<string> Shards => Of("shard");

    public static TheoryData<string> Nodes => Of("node");

    [Theory]
    [MemberData(nameof(Coordinators))]
    public void A_coordinator_of_a_cluster_does_what_the_transcript_says(string name) => ReplayAll(
        name, Scene.Read(name, work => CoordinatorReplay.IsDoneAtOnce(work, isCluster: true), isTold: false),
        scene => new CoordinatorReplay(system, scene, isCluster: true));

    [Theory]
    [MemberData(nameof(CoordinatorsOfOneProcess))]
    public void A_coordinator_of_one_process_does_what_the_transcript_says(string name) => ReplayAll(
        name, Scene.Read(name, work => CoordinatorReplay.IsDoneAtOnce(work, isCluster: false), isTold: false),
        scene => new CoordinatorReplay(system, scene, isCluster: false), OneProcess);

    [Theory]
    [MemberData(nameof(Workers))]
    public void A_worker_does_what_the_transcript_says(string name) => ReplayAll(
        name, Scene.Read(name, _ => false, isTold: true, without: "LeasesMax"), scene => new WorkerReplay(system, scene));

    [Theory]
    [MemberData(nameof(Shards))]
    public void A_shard_does_what_the_transcript_says(string name) => ReplayAll(
        name, Scene.Read(name, ShardReplay.IsDoneAtOnce, isTold: true), scene => new ShardReplay(system, scene));

    [Theory]
    [MemberData(nameof(Nodes))]
    public void A_node_does_what_the_transcript_says(string name) => ReplayAll(
        name, Scene.Read(name, _ => false, isTold: true), scene => new NodeReplay(system, scene));

    [Fact]
    public void Every_transcript_is_replayed()
    {
        string[] machines = ["coordinator", "node", "shard", "worker"];

        Assert.Equal(Transcript.Names(), machines.SelectMany(Names));
        Assert.Subset(Transcript.Names().ToHashSet(), Otherwise.Keys.Select(name => name.Replace(OneProcess, "", StringComparison.Ordinal)).ToHashSet());
    }

    [Fact]
    public void A_gradient_that_is_no_longer_held_fails_the_shard_and_not_its_slice()
    {
        var settings = new CoordinatorSettings { Leaves = 1, Steps = 9, Shards = 1, WorkersToStart = 1 };
        using var host = new ScriptedHost();
        var run = new LocalRun(host, new RecordingObserver(), settings, workers: 1);
        run.Gradients.Enter(new(0), host);
        run.Gradients.Hold(new(0), new(new(7), 0));

        var probe = system.CreateTestProbe();
        var actor = system.Sys.ActorOf(Props.Create(() => new ShardActor(run, probe.Ref, new(0))));
        actor.Tell(new MachineStarted());
        probe.ExpectMsg(new ShardStarted(new(0), new(1), new(0), new(0)));
        actor.Tell(new ReductionOrdered(new(1), new(0), [new(new LeafNode(0, 0), new(0), new(new(6), 0))], new(1)));

        var lost = probe.ExpectMsg<ShardLost>();
        Assert.Contains("does not hold the gradient", lost.Reason, StringComparison.Ordinal);
        probe.ExpectMsg(new ShardStarted(new(0), new(2), new(0), new(0)));
    }

    private static TheoryData<string> Of(string machine) => new(Names(machine));

    private static IEnumerable<string> Names(string machine) =>
        Transcript.Names().Where(name => name.StartsWith(machine + "-", StringComparison.Ordinal));

    private static bool IsOfNodes(string name) => Transcript.Load(name).Lines.Any(line =>
        line.StartsWith("< node", StringComparison.Ordinal) || line.StartsWith("> Node", StringComparison.Ordinal));

    private static void ReplayAll(string name, List<Scene> scenes, Func<Scene, Replay> begin, string where = "")
    {
        Assert.Equal(Otherwise.ContainsKey(name) || Otherwise.ContainsKey(name + where), scenes.Exists(scene => scene.IsChanged));
        foreach (var scene in scenes)
        {
            using var replay = begin(scene);
            replay.Run();
        }
    }
}
