using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Compute;

public sealed class SameBitsTests
{
    private static readonly GptShape Odd = new(Vocabulary: 77, Block: 13, Layers: 2, Heads: 3, Width: 24);
    private static readonly GptShape Wide = new(Vocabulary: 300, Block: 32, Layers: 2, Heads: 4, Width: 128);

    public static TheoryData<int, int, int> Arrangements => new()
    {
        { 2, 1, 1 }, { 3, 1, 2 }, { 5, 1, 3 }, { 8, 1, 1 }, { 1, 2, 1 }, { 2, 3, 2 }, { 1, 5, 1 },
    };

    [Theory]
    [MemberData(nameof(Arrangements))]
    public void Weights_are_the_same_bits_for_any_number_of_workers_threads_and_shards(int workers, int threads, int shards)
    {
        RunPlan plan = TinyRun.PlanFor(Wide, batch: 9, leaves: 8, dropout: 0.1f);
        using var one = new TinyRun(plan);
        using var other = new TinyRun(plan, workers, threads, shards);
        Assert.Equal(one.WeightsAfter(3), other.WeightsAfter(3));
    }

    [Theory]
    [InlineData(2, 3, 2)]
    [InlineData(5, 1, 1)]
    public void Odd_sizes_and_odd_leaf_counts_keep_the_same_bits(int workers, int threads, int shards)
    {
        RunPlan plan = TinyRun.PlanFor(Odd, batch: 5, leaves: 5);
        using var one = new TinyRun(plan);
        using var other = new TinyRun(plan, workers, threads, shards);
        Assert.Equal(one.WeightsAfter(4), other.WeightsAfter(4));
    }

    [Theory]
    [InlineData(1, 0f)]
    [InlineData(3, 0.1f)]
    public void Activations_computed_again_are_the_same_bits(int threads, float dropout)
    {
        RunPlan plan = TinyRun.PlanFor(Odd with { Layers = 3 }, batch: 5, leaves: 2, dropout);
        using var kept = new TinyRun(plan);
        using var computedAgain = new TinyRun(plan, threads: threads, recompute: true);
        Assert.Equal(kept.WeightsAfter(3), computedAgain.WeightsAfter(3));
        Assert.Equal(kept.Evaluate(), computedAgain.Evaluate());
    }

    [Fact]
    public void An_evaluation_is_the_same_however_many_rows_are_worked_on_at_once()
    {
        var shape = new GptShape(37, 600, 1, 1, 16);
        using var byTwo = new TinyRun(TinyRun.PlanFor(shape, batch: 8, leaves: 8));
        using var byFour = new TinyRun(TinyRun.PlanFor(shape, batch: 8, leaves: 2));
        Assert.Equal((2, 4), (WorkerCompute.RowsMax(byTwo.Plan.Leaves, 600, 5), WorkerCompute.RowsMax(byFour.Plan.Leaves, 600, 5)));
        Assert.Equal(byFour.Evaluate(), byTwo.Evaluate());
    }

    [Fact]
    public void Activations_computed_again_take_the_memory_of_one_block_and_the_inputs_of_the_others()
    {
        RunPlan plan = TinyRun.PlanFor(Wide with { Layers = 9 }, batch: 4, leaves: 1);
        using var state = new RunState(plan.Layout);
        using var kept = new WorkerCompute(plan, state, threads: 1);
        using var computedAgain = new WorkerCompute(plan, state, threads: 1, recompute: true);
        long tokens = plan.Leaves.RowsMax * Wide.Block, perToken = (15 * Wide.Width) + Wide.Heads + 4;
        Assert.Equal(8 * sizeof(float) * tokens * perToken, kept.ActivationBytes - computedAgain.ActivationBytes);
    }

    [Fact]
    public void Evaluation_is_the_same_bits_for_any_number_of_threads()
    {
        RunPlan plan = TinyRun.PlanFor(Odd, batch: 2, leaves: 1, heldOutRows: 11);
        using var one = new TinyRun(plan);
        using var three = new TinyRun(plan, threads: 3);
        Assert.Equal(one.Evaluate(), three.Evaluate());
        Assert.InRange(StepCombination.CombineEvaluation(plan, one.Evaluate()), 4.2, 4.5);
    }

    [Fact]
    public void Evaluation_does_not_disturb_training()
    {
        RunPlan plan = TinyRun.PlanFor(Odd);
        using var plain = new TinyRun(plan);
        using var evaluated = new TinyRun(plan);
        plain.WeightsAfter(1);
        evaluated.WeightsAfter(1);
        evaluated.Evaluate();
        plain.Step(1);
        evaluated.Step(1);
        Assert.Equal(plain.State.Weights.Span.ToArray(), evaluated.State.Weights.Span.ToArray());
    }

    [Fact]
    public void A_shard_that_keeps_its_sum_and_a_copy_that_gets_it_are_updated_to_the_same_bits()
    {
        RunPlan plan = TinyRun.PlanFor(Wide, batch: 9, leaves: 8, dropout: 0.1f);
        using var run = new TinyRun(plan, workers: 3);
        using var owned = new RunState(plan.Layout);
        using var copied = new RunState(plan.Layout);
        owned.CopyFrom(run.State);
        copied.CopyFrom(run.State);
        ParameterRange range = plan.Layout.Shards(3)[1];
        using var sum = new AlignedBuffer(range.Length + 5);
        using var fetched = new AlignedBuffer(range.Length + 5);
        using var owner = new ShardCompute(plan, owned, range, sum);
        using var copy = new ShardCompute(plan, copied, range, fetched);
        var norms = new double[owner.Blocks];
        for (int step = 0; step < 4; step++)
        {
            StepScalars scalars = run.Step(step);
            GradientSource[] sources = [.. run.Sources];
            owner.Reduce(step, sources, norms);
            owner.Apply(step, [], scalars);
            sum.Span.CopyTo(fetched.Span);
            copy.Apply(step, [], scalars);
        }

        foreach (Func<RunState, AlignedBuffer> part in new Func<RunState, AlignedBuffer>[] { s => s.Weights, s => s.FirstMoment, s => s.SecondMoment })
        {
            float[] expected = part(run.State).Span.Slice(range.Offset, range.Length).ToArray();
            Assert.Equal(expected, part(owned).Span.Slice(range.Offset, range.Length).ToArray());
            Assert.Equal(expected, part(copied).Span.Slice(range.Offset, range.Length).ToArray());
        }
    }

    [Fact]
    public void A_step_allocates_nothing_on_the_managed_heap_once_buffers_exist()
    {
        RunPlan plan = TinyRun.PlanFor(Wide, batch: 4, leaves: 2);
        using var state = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, 1, state.Weights.Span);
        using var worker = new WorkerCompute(plan, state, threads: 1);
        using var shard = new ShardCompute(plan, state, new ParameterRange(0, plan.Layout.Length));
        var sources = new GradientSource[1];
        var losses = new double[2];
        var norms = new double[shard.Blocks];
        long before = 0;
        for (int step = 0; step < 6; step++)
        {
            if (step == 3)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            worker.ReleaseBuffers();
            sources[0] = new GradientSource(1, 0, worker, worker.ComputeNode(step, 1, 0, losses));
            shard.Reduce(step, sources, norms);
            shard.Apply(step, sources, StepCombination.Combine(plan, step, losses, norms));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
