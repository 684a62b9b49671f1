using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Tests.Protocol;

public sealed class CoordinatorViewTests
{
    private static readonly RunIdentity Run = new("c1", "t1", 1);

    private readonly Coordinator _machine = new(new() { Leaves = 4, Steps = 9, Shards = 2, WorkersToStart = 2, Run = Run });
    private readonly EffectList _effects = new();

    [Fact]
    public void A_run_that_has_not_begun_names_who_is_missing()
    {
        Feed(5, new NodeJoining(new(1), Run));
        Feed(6, new WorkerStarted(new(64), new(1), new(1)));
        var view = _machine.View(10);
        Assert.Equal((10, CoordinatorPhase.Assembling, null), (view.NowTicks, view.Phase, view.LastCommitted));
        Assert.Equal(new WaitView("1 of 2 workers, shard 0, shard 1", "to be there", 6), view.Wait);
        Assert.Equal([new NodeView(new(1), true, false, false)], view.Nodes);
        Assert.Equal([false, false], view.Shards.Select(shard => shard.IsLive));
    }

    [Fact]
    public void Leases_have_an_age_and_workers_what_they_did()
    {
        Start();
        var view = _machine.View(150);
        Assert.Equal(new WaitView("worker 64 (lease 1.1, units 0+1 and 1 more), worker 65 (lease 1.2, units 2+1 and 1 more)", "to compute gradients", 100), view.Wait);
        Assert.Equal([0, 2, 1, 3], view.Leases.OrderBy(lease => lease.Lease.Number).Select(lease => lease.First));
        Assert.All(view.Leases, lease => Assert.Equal((50, 1, false), (lease.AgeTicks, lease.Count, lease.IsCopy)));

        Feed(180, Ready(1, 64));
        var worker = _machine.View(200).Workers[0];
        Assert.Equal((new WorkerId(64), 1, 1L, 80L), (worker.Worker, worker.LeasesOpen, worker.LeavesAnswered, worker.MedianTicksPerLeaf));
        Assert.Equal(180, _machine.View(200).Wait!.SinceTicks);
    }

    [Fact]
    public void A_shard_that_does_not_answer_is_named_with_the_time_since_when()
    {
        Start();
        Compute();
        Feed(310, new ShardReduced(new(1), new(0), new(1), Payload.Of([1])));
        Assert.Equal(new WaitView("shard 0", "to add gradients", 310), _machine.View(999).Wait);
        Feed(320, new ShardReduced(new(1), new(0), new(0), Payload.Of([1])));
        Feed(330, new StatisticsCombined(new(1), new(0), Payload.Of([7])));
        Feed(340, new ShardUpdated(new(1), new(0), new(0)));
        var view = _machine.View(999);
        Assert.Equal(new WaitView("shard 1", "to update", 340), view.Wait);
        Assert.Equal([new Step(1), null], view.Shards.Select(shard => shard.Slice));
        Feed(350, new ShardUpdated(new(1), new(0), new(1)));
        Assert.Equal(new Step(0), _machine.View(999).LastCommitted);
    }

    [Fact]
    public void Faults_that_were_made_up_for_are_counted()
    {
        Start();
        Feed(110, new WorkerLost(new(65), new(1), "connection closed"));
        Feed(111, Ready(2, 65));
        Feed(112, Ready(99, 64));
        Feed(120, new NodeLost(new(1), "connection closed"));
        var view = _machine.View(130);
        Assert.Equal((2, 1, 2), (view.Survived.Faults.WorkersLost, view.Survived.Faults.NodesLost, view.Survived.Faults.ShardsLost));
        Assert.Equal([new DroppedView(DropReason.VoidLease, 2)], view.Survived.Dropped);
        Assert.Equal([1, 1], view.Workers.Select(worker => worker.Failures));
        Assert.Equal(new WaitView("a worker", "to be leased 4 of 4 units", 120), view.Wait);
    }

    [Fact]
    public void Every_phase_says_what_it_waits_for_and_a_run_that_has_ended_waits_for_nothing()
    {
        Start();
        Feed(101, new PauseRequested());
        Compute();
        Feed(310, new ShardReduced(new(1), new(0), new(0), Payload.Of([1])));
        Feed(310, new ShardReduced(new(1), new(0), new(1), Payload.Of([1])));
        Assert.Equal("to make the step's scalars", _machine.View(320).Wait!.What);
        Feed(330, new StatisticsCombined(new(1), new(0), Payload.Of([7])));
        Feed(340, new ShardUpdated(new(1), new(0), new(0)));
        Feed(340, new ShardUpdated(new(1), new(0), new(1)));
        Assert.Equal(new WaitView("an operator", "to tell it to go on", 340), _machine.View(350).Wait);
        Feed(360, new StopRequested());
        Assert.Equal(new WaitView("the coordinator", "to copy the state for a checkpoint", 360), _machine.View(370).Wait);
        Feed(380, new SnapshotTaken(new(1), new(1)));
        Assert.Equal(new WaitView("the coordinator", "to write the checkpoint of step 1", 380), _machine.View(390).Wait);
        Feed(400, new CheckpointWritten(new(1), "d1"));
        var end = _machine.View(410);
        Assert.Equal((CoordinatorPhase.Ended, null), (end.Phase, end.Wait));
    }

    private static GradientReady Ready(int lease, int worker)
    {
        var id = new LeaseId(LeaseId.FirstOf(new(1)).Number + lease - 1);
        return new(new(1), new(0), id, new(worker), new(id, lease), Payload.Of([lease]));
    }

    /// <summary>A node with two workers and two shards; four leaves are leased at 100.</summary>
    private void Start()
    {
        Feed(1, new NodeJoining(new(1), Run));
        Feed(2, new WorkerStarted(new(64), new(1), new(1)));
        Feed(3, new WorkerStarted(new(65), new(1), new(1)));
        foreach (var shard in _machine.View(3).Shards)
        {
            Feed(100, new ShardStarted(shard.Shard, shard.Incarnation.Next, new(1), new(0)));
        }
    }

    private void Compute()
    {
        foreach (var lease in _machine.View(200).Leases)
        {
            Feed(200, Ready((int)(lease.Lease.Number - LeaseId.FirstOf(new(1)).Number) + 1, lease.Worker.Number));
        }
    }

    private void Feed(long nowTicks, Input input)
    {
        _effects.Clear();
        _machine.Handle(nowTicks, input, _effects);
    }
}
