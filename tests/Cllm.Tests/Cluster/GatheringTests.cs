using Akka.Actor;
using Akka.TestKit.Xunit2;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Cluster;

/// <summary>
/// Gradients that a shard of one process fetches from another. The channel is the one within a process, on which a fetch that waits goes on in the very call in
/// which the worker says how far it has come: so what has arrived by then is certain.
/// </summary>
public sealed class GatheringTests : TestKit
{
    private const int Asking = 7;
    private const int Holding = 3;
    private const int LastShard = 2;

    private static readonly Epoch First = new(1);
    private static readonly WorkerId Worker = new(Holding * NodeNumbers.WorkersMax);
    private static readonly WorkerId Other = new(Worker.Number + 1);

    private readonly LocalTransport _transport = new();
    private readonly List<IDisposable> _owned = [];
    private readonly NodeRun _holder;
    private readonly NodeRun _asker;

    public GatheringTests()
    {
        (_holder, _asker) = (Run(Holding), Run(Asking));
        _transport.Serve(_holder.Channel.Address, new NodeStore(_holder));
        _asker.Directory = new(First, 1, [new(new(Holding), "", _holder.Channel.Address)], [], null);
    }

    [Fact]
    public void A_shard_has_a_sum_before_the_worker_is_done_that_computes_it()
    {
        using var gathering = new GradientGathering(_asker, new(LastShard), TestActor);
        using var embedding = new GradientGathering(_asker, new(0), TestActor);
        using var compute = Enter(Worker);
        gathering.Expect(Expected(Source(3, 0, Worker, lease: 5)));
        embedding.Expect(Expected(Source(3, 0, Worker, lease: 5)));
        ExpectNoMsg(0);

        var arrivedAt = -1;
        var source = Compute(compute, lease: 5, level: 3, (_, offset) =>
        {
            if (arrivedAt < 0)
            {
                arrivedAt = offset;
                gathering.Take(ExpectMsg<PartFetched>());
            }
        });
        Assert.Equal(_asker.Host.State.Layout["h.1.ln_1.weight"].Offset, arrivedAt);

        // The embedding is the last to be final; its sum has come when the order does.
        embedding.Take(ExpectMsg<PartFetched>());
        foreach (var (gathered, shard) in new[] { (gathering, LastShard), (embedding, 0) })
        {
            var order = Order(source);
            Assert.True(gathered.Begin(order));
            CheckSum(gathered, shard, order.Sources, compute);
        }
    }

    [Fact]
    public void Advice_that_was_wrong_costs_nothing_but_the_fetch()
    {
        using var gathering = new GradientGathering(_asker, new(LastShard), TestActor);
        using var compute = Enter(Worker);
        using var other = Enter(Other);
        gathering.Expect(Expected(Source(2, 0, Worker, lease: 5), Source(2, 1, Worker, lease: 6)));
        gathering.Expect(Expected(Source(2, 0, Worker, lease: 5), Source(2, 1, new(9 * NodeNumbers.WorkersMax), lease: 8)));
        var left = Compute(compute, lease: 5, level: 2);
        var right = Compute(other, lease: 7, level: 2, index: 1, worker: Other);

        var order = Order(left, right);
        Assert.False(gathering.Begin(order));
        Gather(gathering);
        CheckSum(gathering, LastShard, order.Sources, compute, other);
    }

    [Fact]
    public void What_was_fetched_ahead_and_is_ordered_beside_something_else_is_not_fetched_again()
    {
        using var gathering = new GradientGathering(_asker, new(LastShard), TestActor);
        using var compute = Enter(Worker);
        var own = new WorkerId(Asking * NodeNumbers.WorkersMax);
        using var local = Enter(own, _asker);
        gathering.Expect(Expected(Source(2, 0, Worker, lease: 5), Source(2, 1, Other, lease: 6)));
        gathering.Expect(Expected(Source(2, 0, Worker, lease: 5), Source(2, 1, own, lease: 7)));
        var left = Compute(compute, lease: 5, level: 2);
        var right = Compute(local, lease: 7, level: 2, index: 1, worker: own, run: _asker);
        Gather(gathering, isOrdered: false);

        var order = Order(left, right);
        Assert.True(gathering.Begin(order));
        CheckSum(gathering, LastShard, order.Sources, compute, local);
    }

    [Fact]
    public void A_worker_that_is_lost_while_its_sum_is_awaited_ends_the_wait()
    {
        using var gathering = new GradientGathering(_asker, new(LastShard), TestActor);
        using var compute = Enter(Worker);
        using var other = Enter(Other);
        gathering.Expect(Expected(Source(3, 0, Worker, lease: 5)));
        _holder.Gradients.Begin(Worker, new(5));
        ExpectNoMsg(0);
        _holder.Gradients.Leave(Worker);
        var lost = ExpectMsg<PartFetched>();
        Assert.Equal(RefusalReason.Gone, lost.Result.Reason);
        gathering.Take(lost);

        var source = Compute(other, lease: 6, level: 3, worker: Other);
        var order = Order(source);
        Assert.False(gathering.Begin(order));
        Gather(gathering);
        CheckSum(gathering, LastShard, order.Sources, other);
    }

    [Fact]
    public void Nodes_that_are_not_heard_of_yet_are_looked_for_together()
    {
        using var gathering = new GradientGathering(_asker, new(LastShard), TestActor);
        Assert.False(gathering.Begin(Order(Source(2, 0, new(8 * NodeNumbers.WorkersMax), lease: 5), Source(2, 1, new(9 * NodeNumbers.WorkersMax), lease: 6))));
        for (var again = 0; again < 3; again++)
        {
            gathering.Take(ExpectMsg<PartsDue>());
            ExpectNoMsg(0);
        }
    }

    [Fact]
    public void What_a_shard_that_failed_had_asked_for_is_nothing_to_the_one_after_it()
    {
        using var compute = Enter(Worker);
        using (var former = new GradientGathering(_asker, new(LastShard), TestActor))
        {
            former.Expect(Expected(Source(3, 0, Worker, lease: 5)));
        }

        using var gathering = new GradientGathering(_asker, new(LastShard), TestActor);
        gathering.Take(ExpectMsg<PartFetched>());
        var order = Order(Compute(compute, lease: 5, level: 3));
        Assert.False(gathering.Begin(order));
        Gather(gathering);
        CheckSum(gathering, LastShard, order.Sources, compute);
    }

    [Fact]
    public void A_state_that_is_not_there_yet_is_asked_for_again_after_a_pause()
    {
        using var fetches = new SliceFetches(_asker, TestActor);
        _asker.OwnHere(0);
        fetches.Pull(new(First, new(0), new(5), _holder.Channel.Address), _ => { });
        var ended = ExpectMsg<SliceFetchEnded>();
        Assert.Equal(RefusalReason.NotYet, ended.Result.Reason);
        fetches.Take(ended);
        ExpectMsg<SliceFetchDue>();
    }

    [Fact]
    public void A_state_that_was_ordered_for_one_way_back_is_not_fetched_after_another()
    {
        using var fetches = new SliceFetches(_asker, TestActor);
        _asker.OwnHere(0);
        string? failure = null;
        fetches.Pull(new(First, new(0), new(5), _holder.Channel.Address), reason => failure = reason);
        fetches.Hold(First);
        fetches.Take(ExpectMsg<SliceFetchEnded>());
        fetches.Release();
        Assert.NotNull(failure);
        Assert.True(fetches.IsIdle);
    }

    [Fact]
    public void A_slice_that_is_offered_late_is_not_fetched_over_weights_that_are_worked_with()
    {
        using var fetches = new SliceFetches(_asker, TestActor);
        fetches.Want(First, new(4));
        string? failure = null;
        fetches.Copy(new(First, new(0), new(2), _holder.Channel.Address), reason => failure = reason);
        Assert.NotNull(failure);
        Assert.True(fetches.IsIdle);
    }

    [Fact]
    public void A_coordinator_that_fails_before_it_has_read_the_state_has_its_process_fetch_again()
    {
        _asker.NodeActor = TestActor;
        var restoring = new StateRestoring(_asker, () => 0, _ => null, TestActor);
        restoring.Begin(First);
        ExpectMsg<HoldSlices>();
        restoring.Stop();
        ExpectMsg<ReleaseSlices>();
    }

    [Fact]
    public void A_buffer_that_is_released_amid_the_reading_is_not_taken_for_the_sum()
    {
        using var compute = Enter(Worker);
        var source = Compute(compute, lease: 5, level: 3);
        using var reader = new NodeStore(_holder).CreateReader();
        var range = _holder.Ranges[LastShard];
        var request = TensorRequest.Gradient(First, new(0), new(LastShard), range.Offset, range.Length, new(3, 0), new[] { source });
        Assert.Equal(OpeningState.Ready, reader.Open(request).State);
        _holder.Gradients.Release(Worker);
        Assert.Equal(RefusalReason.Withdrawn, reader.Close().Reason);
        Assert.Equal(RefusalReason.Gone, reader.Open(request).Refusal.Reason);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _owned.ForEach(one => one.Dispose());
    }

    private static ExpectGradients Expected(params ReductionSource[] sources) => new(First, new(0), sources);

    private static ReduceSlice Order(params ReductionSource[] sources) => new(First, new(0), sources);

    private static ReductionSource Source(int level, int index, WorkerId worker, long lease, int buffer = BufferLease.Any) =>
        new(new(level, index), worker, new(new(lease), buffer));

    private NodeRun Run(int number)
    {
        var plan = TestNode.Plan(BareRun.Steps);
        var host = new RunHost(plan, new CheckpointStore(new MemoryFileStore(), "/run", 2), "test")
        {
            InitialWeights = weights => InitialWeights.Draw(plan.Layout, plan.Configuration.Seed, weights),
            Warn = _ => { },
        };
        host.Restore();
        _owned.Add(host);
        var settings = BareRun.Settings(host, LastShard + 1) with { Node = new(number), Workers = 2 };
        return new(settings, host) { Scheduler = Sys.Scheduler, ActorAt = Sys.ActorSelection, Channel = new(new(number, "node", number, "key"), _transport, host) };
    }

    private IWorkerCompute Enter(WorkerId worker, NodeRun? run = null)
    {
        run ??= _holder;
        var compute = run.Host.CreateWorker(worker.Number);
        run.Gradients.Enter(worker, compute);
        return compute;
    }

    /// <summary>Does what a worker's actor does with a lease.</summary>
    private ReductionSource Compute(
        IWorkerCompute compute, long lease, int level, GradientSettled? settled = null, int index = 0, WorkerId? worker = null, NodeRun? run = null)
    {
        var (at, board) = (worker ?? Worker, (run ?? _holder).Gradients);
        board.Begin(at, new(lease));
        var buffer = compute.ComputeNode(0, level, index, new double[1 << level], (number, offset) =>
        {
            board.Hold(at, new(new(lease), number), offset);
            settled?.Invoke(number, offset);
        });
        board.Hold(at, new(new(lease), buffer));
        return Source(level, index, at, lease, buffer);
    }

    /// <summary>Passes on what arrives until all is there.</summary>
    private void Gather(GradientGathering gathering, bool isOrdered = true)
    {
        object message;
        do
        {
            message = ReceiveOne(TimeSpan.FromSeconds(20));
            Assert.NotNull(message);
            if (message is PartFetched fetched)
            {
                gathering.Take(fetched);
            }
            else if (message is PartsDue due)
            {
                gathering.Take(due);
            }
        }
        while (isOrdered ? message is not GradientsGathered : message is not PartFetched { Result.Outcome: FetchOutcome.Done });
    }

    private void CheckSum(GradientGathering gathering, int shard, ReductionSource[] sources, params IWorkerCompute[] computes)
    {
        var range = _asker.Ranges[shard];
        var found = gathering.Find(sources);
        var expected = sources.Select((source, i) => new GradientSource(source.Node.Level, source.Node.Index, computes[i], source.Buffer.Number)).ToArray();
        var leaves = ((RunHost)_asker.Host).Leaves;
        using var sum = new TreeSum(leaves);
        for (var at = range.Offset; at < range.End; at += TreeSum.Chunk)
        {
            var part = new Cllm.Model.Shape.ParameterRange(at, Math.Min(TreeSum.Chunk, range.End - at));
            var numbers = sum.Add(expected, leaves.RootLevel, 0, part).ToArray();
            Assert.Equal(numbers, sum.Add(found, leaves.RootLevel, 0, part).ToArray());
        }
    }
}
