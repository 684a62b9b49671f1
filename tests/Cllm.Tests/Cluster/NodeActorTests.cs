using Akka.Actor;
using Akka.TestKit.Xunit2;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Protocol.Identity;
using Cllm.Tests.Actors;
using Cllm.Tests.Actors.Transcripts;

namespace Cllm.Tests.Cluster;

/// <summary>What a node's actor says to the run's coordinator beside what its machine has it say.</summary>
public sealed class NodeActorTests : TestKit
{
    private readonly ReplayedProcess _process;

    public NodeActorTests()
        : base(TestNode.Hocon(isCoordinator: false, quorum: 1)) => _process = new(Sys, node: 1, new("test", "test", RunIdentity.ProtocolVersion), leaves: 4, shards: 2, workers: 0);

    [Fact]
    public void That_copies_fail_is_told_once_for_all_shards_of_the_process()
    {
        var (run, observer, coordinator, end) = (_process.Run, new RecordingObserver(), TestActor, new TaskCompletionSource<TrainingEnd>());
        var node = Sys.ActorOf(Props.Create(() => new NodeActor(run, observer, coordinator, end)));
        node.Tell(new CopiesFail(new(2), "its disk is full"));
        node.Tell(new CopiesFail(new(2), "its disk is full"));
        node.Tell(new Noted("passed on"));
        Assert.Equal("node 1 cannot send copies of its slices to node 2 and tries after each update: its disk is full", NextNote());
        Assert.Equal("passed on", NextNote());
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _process.Dispose();
    }

    private string NextNote() => ((Noted)FishForMessage(message => message is Noted)).Reason;
}
