using Akka.Actor;
using Akka.TestKit.Xunit2;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Tests.Actors;

namespace Cllm.Tests.Cluster;

public sealed class WaitingWorkerTests : TestKit
{
    private static readonly Incarnation First = new(1);

    [Fact]
    public void A_worker_computes_when_the_weights_of_its_step_have_arrived()
    {
        var (run, worker) = Start();
        worker.Tell(Lease(step: 4, lease: 1));
        ExpectMsg<WeightsAsked>(asked => Assert.Equal(new Step(4), asked.Step));
        run.Slices.Stand(0, SliceParts.Weights, 4);
        ExpectNoSignOfWork(worker);
        run.Slices.Stand(1, SliceParts.Weights, 4);
        Assert.Equal(new LeaseId(1), ExpectMsg<GradientReady>().Lease);
    }

    [Fact]
    public void A_lease_that_became_void_while_its_weights_were_awaited_is_never_answered()
    {
        var (run, worker) = Start();
        worker.Tell(Lease(step: 4, lease: 1));
        ExpectMsg<WeightsAsked>();
        worker.Tell(Lease(step: 5, lease: 2));
        ExpectMsg<Noted>();
        ExpectMsg<WeightsAsked>(asked => Assert.Equal(new Step(5), asked.Step));
        run.Slices.Stand(0, SliceParts.Weights, 5);
        run.Slices.Stand(1, SliceParts.Weights, 5);
        Assert.Equal(new LeaseId(2), ExpectMsg<GradientReady>().Lease);
        ExpectNoSignOfWork(worker);
    }

    [Fact]
    public void What_was_computed_while_weights_changed_is_never_answered()
    {
        var (run, worker) = Start();
        StandAt(run, 4);
        run.AtComputed = () => run.Slices.Change(0, SliceParts.Weights);
        worker.Tell(Lease(step: 4, lease: 1));
        ExpectMsg<WeightsAsked>(asked => Assert.Equal(new Step(4), asked.Step));
        StandAt(run, 5);
        ExpectNoSignOfWork(worker);

        // It is heard of when the lease is void: nobody waits for its answer any more.
        worker.Tell(Lease(step: 5, lease: 2));
        ExpectMsg<WorkerStarted>(started => Assert.Equal(First, started.Incarnation));
        ExpectMsg<Noted>();
        Assert.Equal(new LeaseId(2), ExpectMsg<GradientReady>().Lease);
    }

    [Fact]
    public void Weights_that_changed_amid_a_leaf_and_are_back_fail_the_worker_so_that_its_leaf_gets_another_name()
    {
        var (run, worker) = Start();
        StandAt(run, 4);
        run.AtComputed = () => run.Slices.Change(0, SliceParts.Weights);
        worker.Tell(Lease(step: 4, lease: 1));
        ExpectMsg<WeightsAsked>();
        StandAt(run, 4);
        Assert.Equal(First, ExpectMsg<WorkerLost>().Incarnation);
        Assert.Equal(First.Number + 1, ExpectMsg<WorkerStarted>().Incarnation.Number);
    }

    private static void StandAt(StubRun run, long step)
    {
        run.Slices.Stand(0, SliceParts.Weights, step);
        run.Slices.Stand(1, SliceParts.Weights, step);
    }

    private static LeafLeased Lease(long step, long lease) => new(new(1), new(step), new(lease), new(0, 0), First, new(lease));

    private (StubRun Run, IActorRef Worker) Start()
    {
        var run = new StubRun(TestActor);
        var worker = Sys.ActorOf(Props.Create(() => new WorkerActor(run, TestActor, new WorkerId(0))));
        worker.Tell(new Own(new MachineStarted()));
        ExpectMsg<WorkerStarted>();
        return (run, worker);
    }

    /// <summary>What a worker says of itself stands behind all that it has said before.</summary>
    private void ExpectNoSignOfWork(IActorRef worker)
    {
        worker.Tell(new Identify("done"));
        ExpectMsg<ActorIdentity>();
    }

    private sealed record WeightsAsked(Epoch Epoch, Step Step) : INoSerializationVerificationNeeded;

    private sealed class StubRun(IActorRef probe) : ProcessRun(new FakeHost(2), 2, 2, null, 1, 0)
    {
        private bool _isComputing;

        public SliceBoard Slices { get; } = new(2);

        /// <summary>Called once, between a worker's computing and its look at what has changed.</summary>
        public Action? AtComputed { get; set; }

        public override long WeightsVersion
        {
            get
            {
                _isComputing = !_isComputing;
                if (!_isComputing)
                {
                    AtComputed?.Invoke();
                    AtComputed = null;
                }

                return Slices.WeightsVersion;
            }
        }

        public override bool AreWeightsAt(Step step) => Slices.AreWeightsAt(step.Number);

        public override void AwaitWeights(Epoch epoch, Step step, IActorRef worker)
        {
            Slices.Await(step.Number, worker);
            probe.Tell(new WeightsAsked(epoch, step));
        }

        public override IShardPeers PeersOf(ShardIndex shard, IActorRef self) => throw new NotSupportedException();
    }
}
