using Cllm.Model.Compute;
using Cllm.Model.Shape;

namespace Cllm.Tests.Compute;

public sealed class GradientTests
{
    private static readonly GptShape Odd = new(Vocabulary: 77, Block: 13, Layers: 2, Heads: 3, Width: 24);

    [Theory]
    [InlineData(0f, 1)]
    [InlineData(0.2f, 1)]
    [InlineData(0.2f, 2)]
    public void The_loss_changes_along_a_direction_as_the_gradient_says(float dropout, int threads)
    {
        RunPlan plan = TinyRun.PlanFor(Odd, batch: 5, leaves: 1, dropout: dropout);
        using var state = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, 3, state.Weights.Span);
        using var worker = new WorkerCompute(plan, state, threads);
        float[] start = state.Weights.Span.ToArray();
        float[] gradient = GradientAt(worker);
        foreach (TensorSpec tensor in plan.Layout.Tensors)
        {
            var range = new Range(tensor.Offset, tensor.Offset + tensor.Length);
            double norm = Math.Sqrt(gradient[range].Sum(g => (double)g * g));
            double step = 0.01 / Math.Max(1, norm);
            double Loss(double along)
            {
                start.CopyTo(state.Weights.Span);
                for (int i = tensor.Offset; i < tensor.Offset + tensor.Length; i++)
                {
                    state.Weights.Span[i] += (float)(along * gradient[i] / norm);
                }

                var losses = new double[1];
                worker.ReleaseBuffers();
                worker.ComputeNode(0, 0, 0, losses);
                return losses[0] / plan.BatchTokens;
            }

            double slope = (Loss(step) - Loss(-step)) / (2 * step);
            Assert.True(Math.Abs(slope - norm) <= (0.02 * norm) + 1e-4, $"{tensor.Name}: slope {slope}, gradient's norm {norm}");
        }
    }

    [Fact]
    public void Dropout_masks_do_not_depend_on_how_rows_fall_into_leaves()
    {
        RunPlan whole = TinyRun.PlanFor(Odd, batch: 4, leaves: 1, dropout: 0.3f);
        RunPlan halves = TinyRun.PlanFor(Odd, batch: 4, leaves: 4, dropout: 0.3f);
        Assert.Equal(LossOf(whole), LossOf(halves), 1e-9);
    }

    [Fact]
    public void Logits_are_computed_in_pieces_without_changing_a_bit()
    {
        // Long rows and a large vocabulary, so that one leaf's logits do not fit the buffer: 3 * 512 rows of 20,000 are 123 MB.
        var large = new GptShape(Vocabulary: 20000, Block: 512, Layers: 1, Heads: 1, Width: 16);
        RunPlan inPieces = TinyRun.PlanFor(large, batch: 3, leaves: 1);
        using var state = new RunState(inPieces.Layout);
        InitialWeights.Draw(inPieces.Layout, 3, state.Weights.Span);
        using var one = new WorkerCompute(inPieces, state, 1);
        using var three = new WorkerCompute(inPieces, state, 3);
        Assert.Equal(GradientAt(one), GradientAt(three));
    }

    private static double LossOf(RunPlan plan)
    {
        using var state = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, 3, state.Weights.Span);
        using var worker = new WorkerCompute(plan, state, 1);
        worker.ReleaseBuffers();
        var losses = new double[plan.Configuration.Leaves];
        worker.ComputeNode(0, plan.Leaves.RootLevel, 0, losses);
        return losses.Sum();
    }

    private static float[] GradientAt(WorkerCompute worker)
    {
        worker.ReleaseBuffers();
        return worker.Buffer(worker.ComputeNode(0, 0, 0, new double[1])).ToArray();
    }
}
