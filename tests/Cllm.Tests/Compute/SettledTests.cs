using Cllm.Model.Compute;
using Cllm.Model.Shape;

namespace Cllm.Tests.Compute;

public sealed class SettledTests
{
    private static readonly GptShape Odd = new(Vocabulary: 77, Block: 13, Layers: 3, Heads: 3, Width: 24);

    public static TheoryData<int, bool, float> Arrangements => new()
    {
        { 1, false, 0f }, { 2, false, 0.1f }, { 3, false, 0f }, { 1, true, 0.1f }, { 3, true, 0.1f },
    };

    [Theory]
    [MemberData(nameof(Arrangements))]
    public void The_sum_of_a_lease_is_that_of_its_leaves_added_in_tree_order(int threads, bool recompute, float dropout)
    {
        RunPlan plan = TinyRun.PlanFor(Odd, batch: 7, leaves: 7, dropout);
        using RunState state = Drawn(plan);
        using var single = new WorkerCompute(plan, state, threads: 1);
        float[][] leaves = [.. Enumerable.Range(0, 7).Select(leaf => Gradient(single, 0, leaf))];
        using var worker = new WorkerCompute(plan, state, threads, recompute);
        foreach ((int level, int index) in new[] { (1, 1), (2, 0), (2, 1), (3, 0), (0, 6) })
        {
            Assert.Equal(Sum(leaves, level, index), Gradient(worker, level, index));
        }
    }

    [Theory]
    [MemberData(nameof(Arrangements))]
    public void What_is_said_to_be_final_is_final_long_before_the_lease_is_done(int threads, bool recompute, float dropout)
    {
        RunPlan plan = TinyRun.PlanFor(Odd, batch: 7, leaves: 7, dropout);
        using RunState state = Drawn(plan);
        using var worker = new WorkerCompute(plan, state, threads, recompute);
        var seen = new float[plan.Layout.Length];
        var offsets = new List<int>();
        int end = plan.Layout.Length, thread = Environment.CurrentManagedThreadId, said = -1;
        int buffer = worker.ComputeNode(0, 2, 1, new double[3], (number, offset) =>
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            worker.Buffer(number)[offset..end].CopyTo(seen.AsSpan(offset));
            offsets.Add(offset);
            (end, said) = (offset, number);
        });
        Assert.Equal(worker.Buffer(buffer).ToArray(), seen);
        Assert.Equal(buffer, said);
        Assert.Equal([.. plan.Tensors.Layers.Reverse().Select(layer => layer.Gain1.Offset), 0], offsets);
    }

    [Fact]
    public void A_lease_of_several_leaves_needs_a_buffer_for_each_level_of_its_node_and_one_more()
    {
        RunPlan plan = TinyRun.PlanFor(Odd, batch: 8, leaves: 8);
        using RunState state = Drawn(plan);
        using var worker = new WorkerCompute(plan, state, threads: 1);
        for (int turn = 0; turn < 2; turn++)
        {
            worker.ReleaseBuffers();
            worker.ComputeNode(0, 3, 0, new double[8]);
            Assert.Equal(4L * plan.Layout.Length * sizeof(float), worker.GradientBytes);
        }
    }

    private static RunState Drawn(RunPlan plan)
    {
        var state = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, 3, state.Weights.Span);
        return state;
    }

    private static float[] Gradient(WorkerCompute worker, int level, int index)
    {
        worker.ReleaseBuffers();
        return worker.Buffer(worker.ComputeNode(0, level, index, new double[1 << level])).ToArray();
    }

    private static float[] Sum(float[][] leaves, int level, int index)
    {
        if (level == 0)
        {
            return leaves[index];
        }

        float[] left = Sum(leaves, level - 1, 2 * index);
        return (2 * index) + 1 << (level - 1) < leaves.Length ? [.. left.Zip(Sum(leaves, level - 1, (2 * index) + 1), (a, b) => a + b)] : left;
    }
}
