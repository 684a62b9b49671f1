using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Cluster;

public sealed class SliceFetchTests : IDisposable
{
    private static readonly NodeId There = new(2);
    private static readonly NodeId Elsewhere = new(3);
    private static readonly FetchResult NotYet = FetchResult.Refused(new(RefusalReason.NotYet, "It is not there yet."));

    private readonly SilentLane _lane = new();
    private readonly Clock _clock = new();
    private readonly RunHost _host = BareRun.Host();
    private readonly NodeRun _run;
    private readonly SliceFetches _fetches;

    public SliceFetchTests()
    {
        _run = new NodeRun(BareRun.Settings(_host, shards: 1), _host)
        {
            Time = _clock,
            Channel = _lane.Channel,
            Directory = new(new(1), 1, [new(There, "", AddressOf(There))], [new(There, new(1))], null),
        };
        _run.HoldFirstStep();
        _fetches = new(_run, ActorRefs.Nobody);
        _fetches.Want(new(1), new(0));
    }

    public void Dispose()
    {
        _fetches.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void Weights_of_the_step_that_is_worked_on_have_those_of_the_next_asked_for_ahead() => Assert.Equal(new Step(1), Assert.Single(_lane.Asked).Step);

    [Fact]
    public void Weights_that_are_coming_in_are_not_given_up_when_something_is_heard_meanwhile()
    {
        _lane.ReceiveFirstChunk();
        Assert.Equal(SliceBoard.None, _run.Slices.WeightsOf(0));
        _fetches.AdvanceAll();
        Assert.Equal(0, _lane.Cancels);
    }

    [Fact]
    public void Weights_that_were_asked_for_ahead_are_given_up_when_the_run_goes_back()
    {
        _run.Slices.Change(0, SliceParts.All);
        _fetches.Hold(new(2));
        Assert.Equal(1, _lane.Cancels);
    }

    [Fact]
    public void What_was_wanted_before_the_run_went_back_is_not_fetched_over_the_state_that_it_went_back_to()
    {
        _fetches.Hold(new(2));
        _fetches.Take(new SliceFetchEnded(0, TensorKind.Weights, new(1), new(1), FetchResult.Cancelled));
        _run.HoldFirstStep();
        _fetches.Release();
        Assert.Single(_lane.Asked);

        _fetches.Want(new(2), new(0));
        Assert.Equal(2, _lane.Asked.Count);
    }

    [Fact]
    public void What_was_ordered_from_an_owner_is_not_waited_for_when_another_node_owns_the_shard()
    {
        var failures = Order(new(3));
        _run.Directory = new(new(1), 2, [.. _run.Directory.Nodes, new(Elsewhere, "", AddressOf(Elsewhere))], [new(Elsewhere, new(2))], null);
        _fetches.FollowDirectory();
        Assert.NotNull(Assert.Single(failures));
    }

    [Fact]
    public void What_was_ordered_is_waited_for_while_the_directory_names_its_owner()
    {
        var failures = Order(new(3));
        _run.Directory = _run.Directory with { Version = 2 };
        _fetches.FollowDirectory();
        Assert.Empty(failures);
    }

    [Fact]
    public void What_was_ordered_is_waited_for_once_whatever_was_asked_for_before_it()
    {
        var failures = Order(new(3));
        _clock.Pass(TimeSpan.FromSeconds(20));
        End(TensorKind.Weights, new(1), NotYet);
        Assert.Empty(failures);
        Assert.Equal((new Step(3), 10_000), (_lane.Asked[^1].Step, _lane.Asked[^1].WaitMilliseconds));
        _clock.Pass(TimeSpan.FromSeconds(10.001));
        End(TensorKind.Weights, new(3), NotYet);
        Assert.NotNull(Assert.Single(failures));
    }

    [Fact]
    public void What_was_offered_before_its_owner_went_back_is_given_up_when_the_run_is_known_to_be_behind_it()
    {
        var failures = Order(new(7));
        _fetches.Want(new(1), new(1));
        Assert.NotNull(Assert.Single(failures));
    }

    [Fact]
    public void What_was_offered_one_step_ahead_is_not_given_up()
    {
        var failures = Order(new(2));
        _fetches.Want(new(1), new(1));
        Assert.Empty(failures);
    }

    private static ChannelAddress AddressOf(NodeId node) => new(node.Number, $"node-{node}", 1, "");

    private List<string?> Order(Step step)
    {
        var ends = new List<string?>();
        _fetches.Pull(new(new(1), new(0), step, AddressOf(There)), ends.Add);
        return ends;
    }

    private void End(TensorKind kind, Step step, FetchResult result) => _fetches.Take(new SliceFetchEnded(0, kind, new(1), step, result));

    private sealed class Clock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Pass(TimeSpan time) => _ticks += time.Ticks;
    }
}
