using Akka.Actor;
using Akka.TestKit.Xunit2;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Tests.Actors;
using Cllm.Tests.Actors.Transcripts;

namespace Cllm.Tests.Cluster;

/// <summary>Whoever the first step waits for counts in the membership by then: whoever coordinates can be lost from that step on.</summary>
public sealed class FirstStepTests : TestKit
{
    private static readonly RunIdentity Identity = new("test", "test", RunIdentity.ProtocolVersion);
    private static readonly NodeId Node = new(1);

    private readonly RecordingObserver _observer = new();
    private readonly ReplayedProcess _process;

    public FirstStepTests()
        : base(TestNode.Hocon(isCoordinator: true, quorum: 1)) => _process = new(Sys, Node.Number, Identity, leaves: 4, shards: 1, workers: 0);

    [Fact]
    public void A_node_that_the_first_step_waits_for_is_taken_in_when_it_is_a_member()
    {
        var coordinator = Coordinate(nodesToStart: 2);
        Assert.False(IsTakenIn(coordinator, isMember: false));
        Assert.True(IsTakenIn(coordinator, isMember: true));
    }

    [Fact]
    public void A_node_that_nothing_waits_for_is_taken_in_at_once() => Assert.True(IsTakenIn(Coordinate(nodesToStart: 0), isMember: false));

    [Fact]
    public void A_node_says_with_its_announcements_whether_it_is_a_member()
    {
        var (run, observer, any, end) = (_process.Run, _observer, TestActor, new TaskCompletionSource<TrainingEnd>());
        Sys.ActorOf(Props.Create(() => new NodeActor(run, observer, any, end)));
        Assert.False(((NodeLocated)FishForMessage(message => message is NodeLocated)).IsMember);
        var cluster = Akka.Cluster.Cluster.Get(Sys);
        cluster.Join(cluster.SelfAddress);
        FishForMessage(message => message is NodeLocated { IsMember: true }, TimeSpan.FromSeconds(30));
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _process.Dispose();
    }

    private IActorRef Coordinate(int nodesToStart)
    {
        var settings = new CoordinatorSettings { Leaves = 4, Steps = 1, Shards = 1, WorkersToStart = 1, NodesToStart = nodesToStart, Run = Identity };
        var (run, coordination) = (_process.Run, new CoordinatorRun(new ScriptedHost(), _observer, settings, new("", 0, settings.Leaves)));
        run.NodeActor = TestActor;
        var coordinator = Sys.ActorOf(Props.Create(() => new ClusterCoordinatorActor(coordination, run)));
        coordinator.Tell(new Own(new MachineStarted()));
        return coordinator;
    }

    private bool IsTakenIn(IActorRef coordinator, bool isMember)
    {
        coordinator.Tell(new NodeLocated(Node, _process.Run.Channel.Address, isMember), TestActor);
        coordinator.Tell(new NodeJoining(Node, Identity), TestActor);
        coordinator.Tell(new RunAsked(), TestActor);
        var isTakenIn = false;
        FishForMessage(message =>
        {
            isTakenIn |= message is NodeAdmitted;
            return message is RunSeen;
        });
        return isTakenIn;
    }
}
