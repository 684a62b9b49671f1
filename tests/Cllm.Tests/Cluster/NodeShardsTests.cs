using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Nodes;

namespace Cllm.Tests.Cluster;

public sealed class NodeShardsTests : IDisposable
{
    private static readonly NodeId There = new(2);
    private static readonly ShardIndex Shard = new(0);

    private readonly SilentLane _lane = new();
    private readonly RunHost _host = BareRun.Host();
    private readonly NodeRun _run;
    private readonly NodeShards _shards;
    private readonly List<Incarnation> _started = [];
    private readonly List<IActorRef> _stopped = [];
    private readonly List<IActorRef> _actors = [];

    public NodeShardsTests()
    {
        _run = new NodeRun(BareRun.Settings(_host, shards: 1), _host) { Channel = _lane.Channel };
        _run.HoldFirstStep();
        _shards = new(_run, ActorRefs.Nobody, Start, _stopped.Add);
    }

    public void Dispose()
    {
        _shards.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void A_shard_is_started_once_however_often_it_is_given_before_its_actor_has_begun()
    {
        _shards.TakeOn(Given(7));
        _shards.TakeOn(Given(7));
        Assert.Equal([new(7)], _started);
        Assert.Empty(_stopped);
        Assert.True(_run.IsOwnedHere(0));
    }

    [Fact]
    public void A_shard_starts_again_when_the_actor_before_it_has_stopped()
    {
        _shards.TakeOn(Given(7));
        _shards.TakeOn(Given(9));
        Assert.Equal(_actors, _stopped);
        Assert.Equal([new(7)], _started);
        Assert.True(Stopped(_actors[0]));
        Assert.Equal([new(7), new(9)], _started);
        Assert.True(_run.IsOwnedHere(0));
    }

    [Fact]
    public void A_shard_that_another_node_owns_is_owned_here_until_its_actor_has_stopped()
    {
        _shards.TakeOn(Given(7));
        _shards.GiveUp(Shard, new(9));
        Assert.True(_run.IsOwnedHere(0));
        Assert.True(Stopped(Assert.Single(_stopped)));
        Assert.False(_run.IsOwnedHere(0));
        Assert.Equal(SliceBoard.None, _run.Slices.AllOf(0));
    }

    [Fact]
    public void A_directory_that_names_another_owner_stops_what_was_not_told_of_it()
    {
        _shards.TakeOn(Given(7));
        Assert.True(_shards.Take(DirectoryWith(new(There, new(6))), ActorRefs.Nobody));
        Assert.Empty(_stopped);
        Assert.True(_shards.Take(DirectoryWith(new(There, new(9))), ActorRefs.Nobody));
        Assert.Single(_stopped);
    }

    [Fact]
    public void A_shard_is_not_given_here_by_an_order_from_before_it_went_elsewhere()
    {
        _shards.GiveUp(Shard, new(9));
        _shards.TakeOn(Given(7));
        Assert.Empty(_started);
        _shards.TakeOn(Given(11));
        Assert.Equal([new(11)], _started);
    }

    [Fact]
    public void A_shard_waits_for_what_is_fetched_in_its_place()
    {
        Fetch();
        _shards.TakeOn(Given(7));
        Assert.Empty(_started);
        Assert.Equal(1, _lane.Cancels);
        EndFetch();
        Assert.Equal([new(7)], _started);
    }

    [Fact]
    public void A_shard_that_goes_elsewhere_before_it_could_start_does_not_start()
    {
        Fetch();
        _shards.TakeOn(Given(7));
        _shards.GiveUp(Shard, new(9));
        Assert.False(_run.IsOwnedHere(0));
        EndFetch();
        Assert.Empty(_started);
    }

    private static StartShard Given(long incarnation) => new(Shard, new(incarnation), new(0));

    private IActorRef Start(StartShard start)
    {
        _started.Add(start.Incarnation);
        _actors.Add(new Someone(_actors.Count));
        return _actors[^1];
    }

    private bool Stopped(IActorRef actor) => _shards.Take(new Terminated(actor, existenceConfirmed: true, addressTerminated: false), actor);

    private ClusterDirectory DirectoryWith(ShardPlace owner) =>
        new(new(1), _run.Directory.Version + 1, [new(There, "", new(There.Number, "there", 1, ""))], [owner], null);

    /// <summary>The weights of the step after the first are asked for.</summary>
    private void Fetch()
    {
        _shards.Take(DirectoryWith(new(There, new(1))), ActorRefs.Nobody);
        _shards.Take(new WeightsWanted(new(1), new(0)), ActorRefs.Nobody);
        Assert.Single(_lane.Asked);
    }

    private void EndFetch() => _shards.Take(new SliceFetchEnded(0, TensorKind.Weights, new(1), new(1), FetchResult.Cancelled), ActorRefs.Nobody);

    /// <summary>An actor that runs nowhere.</summary>
    private sealed class Someone(int number) : MinimalActorRef
    {
        public override ActorPath Path { get; } = new RootActorPath(new Address("akka", "test")) / $"shard-{number}";

        public override IActorRefProvider Provider => throw new NotSupportedException("there is no actor system");
    }
}
