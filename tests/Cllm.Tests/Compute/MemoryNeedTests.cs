using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Tests.Compute;

public sealed class MemoryNeedTests
{
    public static TheoryData<int, int, int, bool> Spreads => new()
    {
        { 8, 8, 1, false }, { 8, 8, 1, true }, { 9, 5, 3, false }, { 16, 8, 2, true }, { 7, 7, 7, false }, { 12, 6, 4, false }, { 4, 2, 3, false },
    };

    [Theory]
    [MemberData(nameof(Spreads))]
    public void What_is_foretold_is_what_workers_take(int batch, int leaves, int workers, bool recompute)
    {
        RunPlan plan = TinyRun.PlanFor(new GptShape(37, 6, 3, 2, 8), batch, leaves, heldOutRows: 0);
        var options = new RunOptions { Workers = workers, ThreadsPerWorker = 1, CheckpointEvery = 0, Recompute = recompute };
        using var state = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, 1, state.Weights.Span);
        long gradients = 0, activations = 0;
        for (int w = 0; w < workers; w++)
        {
            using var worker = new WorkerCompute(plan, state, 1, recompute);
            foreach ((int level, int index) in TinyRun.Nodes(leaves, w, workers))
            {
                worker.ComputeNode(0, level, index, new double[plan.Leaves.LeavesUnder(level, index).Count]);
            }

            gradients += worker.GradientBytes;
            activations += worker.ActivationBytes;
        }

        MemoryNeed need = MemoryNeed.Of(plan.Configuration, options);

        Assert.Equal((gradients, activations), (need.GradientBytes, need.ActivationBytes));
        Assert.Equal(3L * sizeof(float) * plan.Layout.Length, need.StateBytes);
        Assert.Equal(need.TrainingBytes + need.StateBytes, need.Bytes);
    }

    [Fact]
    public void Workers_elsewhere_take_leaves_and_so_buffers_over()
    {
        RunConfiguration run = TinyRun.PlanFor(new GptShape(37, 6, 3, 2, 8)).Configuration;
        var options = new RunOptions { Workers = 1, ThreadsPerWorker = 1, CheckpointEvery = 0 };
        Assert.True(MemoryNeed.Of(run, options, workersElsewhere: 1).GradientBytes < MemoryNeed.Of(run, options).GradientBytes);
    }
}
