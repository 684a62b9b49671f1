using Akka.Actor;
using Akka.TestKit.Xunit2;
using Cllm.Actors.Cluster;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Shards;

namespace Cllm.Tests.Cluster;

/// <summary>The shard's actor, its node's, and whoever else is told something: all are the test.</summary>
public sealed class ShardPeersTests : TestKit
{
    private static readonly NodeId There = new(2);
    private static readonly ShardIndex Shard = new(0);

    private readonly SilentLane _lane = new();
    private readonly RunHost _host = BareRun.Host();
    private readonly NodeRun _run;
    private readonly ShardPeers _peers;

    public ShardPeersTests()
    {
        _run = new NodeRun(BareRun.Settings(_host, shards: 1), _host)
        {
            Scheduler = Sys.Scheduler,
            ActorAt = _ => TestActor,
            NodeActor = TestActor,
            Channel = _lane.Channel,
            Directory = new(new(1), 1, [new(There, "there", new(There.Number, "there", 1, ""))], [], null),
        };
        _peers = new(_run, Shard, TestActor);
    }

    [Fact]
    public void A_slice_is_offered_to_the_node_of_its_copy()
    {
        _peers.Send(new(new(7), There));
        Assert.Equal(new Step(7), ExpectMsg<ReplicaOffered>().Step);
    }

    [Fact]
    public void A_slice_that_goes_back_to_a_checkpoint_is_not_offered_at_the_step_that_it_leaves()
    {
        var wanted = Restore();
        _peers.Send(new(new(7), There));
        EndRestoring(wanted);
    }

    [Fact]
    public void A_slice_that_is_offered_when_it_goes_back_is_not_waited_for()
    {
        _peers.Send(new(new(7), There));
        ExpectMsg<ReplicaOffered>();
        EndRestoring(Restore());
    }

    [Fact]
    public void A_copy_that_fails_once_is_no_news_and_one_that_fails_again_is_told_once()
    {
        for (var step = 7; step <= 10; step++)
        {
            _peers.Send(new(new(step), There));
            ExpectMsg<ReplicaOffered>();
            Assert.Equal("cut", Assert.IsType<SliceSent>(_peers.Take(new ReplicaFetched(Shard, new(step), "cut"), TestActor)).Failure);
            if (step == 8)
            {
                Assert.Equal(new CopiesFail(There, "cut"), ExpectMsg<CopiesFail>());
            }
        }

        Assert.False(HasMessages);
    }

    [Fact]
    public void Copies_that_fail_before_and_after_one_that_does_not_are_no_news()
    {
        string?[] failures = ["cut", null, "cut"];
        for (var step = 0; step < failures.Length; step++)
        {
            _peers.Send(new(new(step), There));
            ExpectMsg<ReplicaOffered>();
            Assert.IsType<SliceSent>(_peers.Take(new ReplicaFetched(Shard, new(step), failures[step]), TestActor));
        }

        Assert.False(HasMessages);
    }

    [Fact]
    public void That_a_lost_node_gets_no_copies_is_no_news()
    {
        for (var step = 7; step <= 10; step++)
        {
            _peers.Send(new(new(step), new(3)));
            Assert.NotNull(Assert.IsType<SliceSent>(_peers.Take(ExpectMsg<ReplicaVoid>(), TestActor)).Failure);
        }

        Assert.False(HasMessages);
    }

    protected override void AfterAll()
    {
        _peers.Dispose();
        _host.Dispose();
        base.AfterAll();
    }

    private SliceWanted Restore()
    {
        Assert.Null(_peers.Take(new RestoreOrdered(new(2), Shard, new(0), _run.Directory.Nodes[0].Channel), TestActor));
        Assert.True(_peers.IsRestoring);
        return ExpectMsg<SliceWanted>();
    }

    /// <summary>What was to be sent has failed by then, and nothing was offered to anybody.</summary>
    private void EndRestoring(SliceWanted wanted)
    {
        Assert.IsType<SliceRestored>(_peers.Take(new SlicePulled(wanted, null), TestActor));
        ExpectMsg<SliceIsRestored>();
        var sent = Assert.IsType<SliceSent>(_peers.Take(ExpectMsg<ReplicaVoid>(), TestActor));
        Assert.Equal(new Step(7), sent.Step);
        Assert.NotNull(sent.Failure);
    }
}
