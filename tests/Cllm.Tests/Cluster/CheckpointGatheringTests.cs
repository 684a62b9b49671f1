using Akka.TestKit.Xunit2;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Cluster;

public sealed class CheckpointGatheringTests : TestKit
{
    private const string Failure = "the owner is lost";

    private static readonly TakeCheckpoint Take = new(new(3), new(7));

    private readonly RunHost _host;
    private readonly CheckpointGathering _gathering;
    private bool _isGoingBack;

    public CheckpointGatheringTests()
    {
        var plan = TestNode.Plan(9);
        _host = new RunHost(plan, new CheckpointStore(new MemoryFileStore(), "/run", 1), "test") { InitialWeights = _ => { }, Warn = _ => { } };
        var settings = new ClusterSettings
        {
            Run = new("test", "test", RunIdentity.ProtocolVersion),
            Leaves = plan.Configuration.Leaves,
            Steps = 9,
            Workers = 0,
            Shards = 1,
            Node = new(1),
            Hocon = Hocon.Load(),
        };
        var run = new NodeRun(settings, _host) { Scheduler = Sys.Scheduler, NodeActor = TestActor };
        _gathering = new(run, () => _isGoingBack, TestActor);
        _gathering.Begin(Take);
        ExpectMsg(new StateWanted(Take.Epoch, Take.Step));
    }

    [Fact]
    public void A_state_that_could_not_be_had_is_asked_for_once_more()
    {
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, Failure)));
        Assert.Null(_gathering.Take(ExpectMsg<StateDue>()));
        ExpectMsg(new StateWanted(Take.Epoch, Take.Step));
        Assert.Equal((Take, null), _gathering.Take(new StateGathered(Take.Step, null)));
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, null)));
    }

    [Fact]
    public void A_state_that_could_not_be_had_is_not_asked_for_again_when_the_run_is_to_go_back()
    {
        _isGoingBack = true;
        Assert.Equal((Take, Failure), _gathering.Take(new StateGathered(Take.Step, Failure)));
    }

    [Fact]
    public void A_run_that_is_to_go_back_does_not_wait_for_a_state_that_is_about_to_be_asked_for_again()
    {
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, Failure)));
        _isGoingBack = true;
        Assert.Equal((Take, Failure), _gathering.Take(ExpectMsg<StateDue>()));
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _host.Dispose();
    }
}
