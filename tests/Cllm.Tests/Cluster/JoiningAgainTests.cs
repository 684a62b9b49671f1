using Cllm.Actors.Bootstrap;
using Cllm.Actors.Cluster;
using Cllm.Cli.Node;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Tests.Actors;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Cluster;

[Collection(Alone.Name)]
public sealed class JoiningAgainTests
{
    private const long Steps = 6;

    [Fact]
    public async Task A_process_whose_number_another_one_has_drawn_joins_under_another_number()
    {
        var isThere = new TaskCompletionSource();
        var told = new RecordingObserver { AtNote = note => SetIf(isThere, note.StartsWith("node 7 joins", StringComparison.Ordinal)) };
        await using var first = TestNode.Start(Steps, observer: told, change: settings => settings with { Node = new(7), NodesToStart = 2 });
        await isThere.Task.WaitAsync(TimeSpan.FromSeconds(40));
        var plan = TestNode.Plan(Steps);
        using var host = Host(plan);
        var (notes, observer) = (new List<string>(), new RecordingObserver());
        var part = Part(first, plan, notes.Add);

        var end = await part.TakeAsync(host, observer, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(RunOutcome.Finished, end.Outcome);
        Assert.NotEqual(7, part.Settings.Node.Number);
        Assert.Equal(["another node has drawn number 7 as well: this process joins under another number"], notes);
        Assert.Equal(TestNode.ExpectedDigest(Steps), first.Digest);
    }

    [Fact]
    public async Task A_process_that_the_others_have_done_without_joins_again()
    {
        Action<long> atStep = _ => { };
        var told = new RecordingObserver { AtStep = step => atStep(step) };
        // With one process only, the run does not go on.
        await using var first = TestNode.Start(Steps, observer: told, change: settings => settings with { NodesToStart = 2, NodesMin = 2 });
        var cluster = Akka.Cluster.Cluster.Get(first.System);
        atStep = step =>
        {
            if (step == 2)
            {
                cluster.Down(cluster.State.Members.Single(member => member.Address != cluster.SelfAddress).Address);
            }
        };
        var plan = TestNode.Plan(Steps);
        using var host = Host(plan);
        var notes = new List<string>();
        var part = Part(first, plan, notes.Add);

        var end = await part.TakeAsync(host, new RecordingObserver(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(RunOutcome.Finished, end.Outcome);
        Assert.NotEqual(7, part.Settings.Node.Number);
        // Others may call on a process that is gone already: it turns them away, and says so.
        Assert.Single(notes, "the run's cluster is gone, or has done without this process: this process joins under another number");
        Assert.Equal(TestNode.ExpectedDigest(Steps), first.Digest);
    }

    [Fact]
    public async Task A_process_joins_again_by_way_of_any_node_when_the_one_it_came_by_is_gone()
    {
        Action<long> atStep = _ => { };
        var told = new RecordingObserver { AtStep = step => atStep(step) };
        await using var first = TestNode.Start(Steps, observer: told, change: settings => settings with { NodesToStart = 3, NodesMin = 2 });
        var cluster = Akka.Cluster.Cluster.Get(first.System);
        atStep = step =>
        {
            if (step == 2)
            {
                foreach (var other in cluster.State.Members.Where(member => member.Address != cluster.SelfAddress))
                {
                    cluster.Down(other.Address);
                }
            }
        };
        await using var gone = TestNode.Start(Steps, first);
        await gone.UpAsync().WaitAsync(TimeSpan.FromSeconds(40));
        var plan = TestNode.Plan(Steps);
        using var host = Host(plan);
        var part = Part(gone, plan, _ => { });

        var end = await part.TakeAsync(host, new RecordingObserver(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(RunOutcome.Finished, end.Outcome);
        await gone.System.WhenTerminated.WaitAsync(TimeSpan.FromSeconds(40));
        Assert.Equal(TestNode.ExpectedDigest(Steps), first.Digest);
    }

    private static RunHost Host(RunPlan plan) => new(plan, new CheckpointStore(new MemoryFileStore(), "/run", 1), "test")
    {
        InitialWeights = weights => InitialWeights.Draw(plan.Layout, plan.Configuration.Seed, weights),
        Warn = _ => { },
    };

    private static void SetIf(TaskCompletionSource signal, bool condition)
    {
        if (condition)
        {
            signal.TrySetResult();
        }
    }

    private static ClusterPart Part(TestNode seed, RunPlan plan, Action<string> note) => new()
    {
        Network = new ClusterSystem { Hocon = TestNode.Hocon(isCoordinator: false, quorum: 1), Listen = new("127.0.0.1", 0) },
        Seed = new("127.0.0.1", seed.Address.Port!.Value),
        Settings = new ClusterSettings
        {
            Run = new("test", "test", RunIdentity.ProtocolVersion),
            Node = new(7),
            Leaves = plan.Configuration.Leaves,
            Steps = Steps,
            Workers = 1,
            Shards = 3,
            Hocon = TestNode.Hocon(isCoordinator: false, quorum: 1),
        },
        Invitation = new RunInvitation
        {
            ProgramVersion = "",
            ProtocolVersion = RunIdentity.ProtocolVersion,
            Configuration = plan.Configuration,
            TokenizerBytes = 0,
            TokenBytes = 0,
            Coordinators = 1,
            Shards = 3,
            CheckpointEvery = 0,
            NodesMin = 0,
            ChannelNode = 7,
            ChannelHost = "",
            ChannelPort = 0,
            ChannelCredential = "",
        },
        Note = note,
    };
}
