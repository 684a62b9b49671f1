using Akka.TestKit.Xunit2;
using Cllm.Actors.Cluster;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Cluster;

/// <summary>The way back to a checkpoint in the coordinator's process, whose shards may be others' by now and late in hearing of it.</summary>
public sealed class StateRestoringTests : TestKit
{
    private static readonly Epoch Epoch = new(3);
    private static readonly ShardIndex Late = new(1);

    private readonly RunHost _host = BareRun.Host();
    private readonly NodeRun _run;
    private readonly StateRestoring _restoring;
    private int _reads;

    public StateRestoringTests()
    {
        _run = new(BareRun.Settings(_host, shards: 2) with { FirstStep = 5 }, _host)
        {
            Scheduler = Sys.Scheduler,
            NodeActor = TestActor,
            Channel = new SilentLane().Channel,
        };
        _run.HoldFirstStep();
        _restoring = new(_run, Read, _ => TestActor, TestActor);
    }

    [Fact]
    public void A_shard_updates_its_slice_from_the_step_at_which_it_stands_and_from_no_other()
    {
        Assert.Throws<InvalidOperationException>(() => _run.BeginUpdate(Late, new(4)));
        _run.BeginUpdate(Late, new(5));
        Assert.Equal(SliceBoard.None, _run.Slices.WeightsOf(Late.Number));
        Assert.Throws<InvalidOperationException>(() => _run.BeginUpdate(Late, new(5)));
        _run.SliceStands(Late, new(6));
        _run.EndUpdate(Late);
        Assert.Equal(6, _run.Slices.AllOf(Late.Number));
    }

    [Fact]
    public void Slices_are_not_held_while_a_shard_that_is_anothers_by_now_ends_its_update()
    {
        using var fetches = new SliceFetches(_run, TestActor);
        _run.BeginUpdate(Late, new(5));
        fetches.Take(new HoldSlices(Epoch), TestActor);
        _run.EndUpdate(Late);
        fetches.Take(ExpectMsg<UpdateEnded>(), TestActor);
        ExpectMsg(new SlicesHeld(Epoch));
    }

    [Fact]
    public void A_state_is_not_read_over_a_slice_that_is_updated()
    {
        Begin();
        _run.BeginUpdate(Late, new(5));
        Assert.Null(_restoring.Take(new SlicesHeld(Epoch), TestActor));
        ExpectMsg(new HoldSlices(Epoch));
        Assert.Equal(0, _reads);
        _run.SliceStands(Late, new(6));
        _run.EndUpdate(Late);
        Assert.Null(_restoring.Take(new SlicesHeld(Epoch), TestActor));
        Assert.Equal(1, _reads);
        Assert.Equal(2, _run.Slices.AllOf(Late.Number));
    }

    [Fact]
    public void A_slice_is_not_fetched_while_the_shard_that_had_it_here_ends_its_update()
    {
        using var fetches = new SliceFetches(_run, TestActor);
        _run.OwnHere(Late.Number);
        _run.BeginUpdate(Late, new(5));
        fetches.Pull(new(Epoch, Late, new(7), new(2, "other", 2, "key")), _ => { });
        Assert.True(fetches.IsIdle);
        _run.EndUpdate(Late);
        fetches.Take(ExpectMsg<UpdateEnded>(), TestActor);
        Assert.False(fetches.IsIdle);
    }

    [Fact]
    public void A_shard_that_was_not_waited_for_gets_its_order_when_it_announces_itself()
    {
        Order();
        Assert.Equal(new Restored(Epoch, new(2)), _restoring.Take(new RestoreOverdue(Epoch), TestActor));
        ExpectMsg<ReleaseSlices>();
        _restoring.Locate(Late.Number, isAnother: false);
        Assert.Equal(Late, ExpectMsg<RestoreOrdered>().Shard);
        Assert.Null(_restoring.Take(new SliceIsRestored(Epoch, Late, null), TestActor));
        _restoring.Locate(Late.Number, isAnother: false);
        ExpectNoMsg(0);
    }

    [Fact]
    public void A_shard_that_is_another_since_the_run_went_on_gets_no_order()
    {
        Order();
        Assert.NotNull(_restoring.Take(new RestoreOverdue(Epoch), TestActor));
        ExpectMsg<ReleaseSlices>();
        _restoring.Locate(Late.Number, isAnother: true);
        _restoring.Locate(Late.Number, isAnother: false);
        ExpectNoMsg(0);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _restoring.Stop();
        _host.Dispose();
    }

    private void Begin()
    {
        _restoring.Begin(Epoch);
        ExpectMsg(new HoldSlices(Epoch));
    }

    /// <summary>All are ordered to go back, and only the first answers.</summary>
    private void Order()
    {
        Begin();
        Assert.Null(_restoring.Take(new SlicesHeld(Epoch), TestActor));
        ExpectMsg<RestoreOrdered>();
        ExpectMsg<RestoreOrdered>();
        Assert.Null(_restoring.Take(new SliceIsRestored(Epoch, new(0), null), TestActor));
    }

    private long Read()
    {
        _reads++;
        return 2;
    }
}
