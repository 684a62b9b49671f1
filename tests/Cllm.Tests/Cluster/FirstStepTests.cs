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

/// <summary>A run begins when all processes that may coordinate it count in the membership: whoever coordinates can be lost from its first step on.</summary>
public sealed class FirstStepTests : TestKit
{
    private static readonly RunIdentity Identity = new("test", "test", RunIdentity.ProtocolVersion);
    private static readonly NodeId Node = new(1);

    private readonly RecordingObserver _observer = new();
    private readonly ReplayedProcess _process;

    public FirstStepTests()
        : base(TestNode.Hocon(isCoordinator: true, quorum: 2)) => _process = new(Sys, Node.Number, Identity, leaves: 4, shards: 1, workers: 0);

    [Fact]
    public void Nodes_are_taken_in_when_all_standbys_are_there_and_know_that_they_are_members()
    {
        var coordinator = Coordinate(isSuccessor: false);
        Assert.False(IsTakenIn(coordinator, Node, mayCoordinate: true, isMember: true));
        Assert.False(IsTakenIn(coordinator, new(2), mayCoordinate: true, isMember: true));
        Assert.False(IsTakenIn(coordinator, new(3), mayCoordinate: false, isMember: true));
        Assert.False(IsTakenIn(coordinator, new(4), mayCoordinate: true, isMember: false));
        Assert.True(IsTakenIn(coordinator, new(4), mayCoordinate: true, isMember: true));
        Assert.True(IsTakenIn(coordinator, new(3), mayCoordinate: false, isMember: true));
    }

    [Fact]
    public void A_successor_waits_for_nobody() => Assert.True(IsTakenIn(Coordinate(isSuccessor: true), Node, mayCoordinate: true, isMember: false));

    [Fact]
    public void Who_takes_the_place_of_a_failed_coordinator_in_its_process_waits_for_nobody()
    {
        var coordination = Coordination(isSuccessor: false);
        var failed = Coordinate(coordination);
        for (var number = 1; number <= 3; number++)
        {
            IsTakenIn(failed, new(number), mayCoordinate: true, isMember: true);
        }

        Assert.True(IsTakenIn(Coordinate(coordination), Node, mayCoordinate: true, isMember: true));
    }

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

    private CoordinatorRun Coordination(bool isSuccessor)
    {
        var settings = new CoordinatorSettings { Leaves = 4, Steps = 1, Shards = 1, WorkersToStart = 1, IsSuccessor = isSuccessor, Run = Identity };
        return new(new ScriptedHost(), _observer, settings, new("", 0, settings.Leaves));
    }

    private IActorRef Coordinate(bool isSuccessor) => Coordinate(Coordination(isSuccessor));

    private IActorRef Coordinate(CoordinatorRun coordination)
    {
        var run = _process.Run;
        run.NodeActor = TestActor;
        var coordinator = Sys.ActorOf(Props.Create(() => new ClusterCoordinatorActor(coordination, run)));
        coordinator.Tell(new Own(new MachineStarted()));
        return coordinator;
    }

    private bool IsTakenIn(IActorRef coordinator, NodeId node, bool mayCoordinate, bool isMember)
    {
        coordinator.Tell(new NodeLocated(node, _process.Run.Channel.Address, mayCoordinate, isMember), TestActor);
        coordinator.Tell(new NodeJoining(node, Identity), TestActor);
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
