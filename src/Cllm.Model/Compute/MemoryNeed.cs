using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Model.Compute;

/// <summary>The memory that a process needs for its part of a run, known before any of it is allocated. Every step goes through all of it.</summary>
/// <param name="StateBytes">Weights and both moments.</param>
/// <param name="GradientBytes">Gradient buffers of all workers.</param>
/// <param name="ActivationBytes">Activations of all workers, logits included.</param>
public sealed record MemoryNeed(long StateBytes, long GradientBytes, long ActivationBytes)
{
    /// <summary>What training takes.</summary>
    public long TrainingBytes => StateBytes + GradientBytes + ActivationBytes;

    /// <summary>What it takes from the first checkpoint on, which is written from a copy of weights and moments.</summary>
    public long Bytes => TrainingBytes + StateBytes;

    /// <summary>The need of a process.</summary>
    /// <param name="run">The run.</param>
    /// <param name="options">How it is spread in this process.</param>
    /// <param name="workersElsewhere">Workers of other processes that share the leaves with this one's.</param>
    public static MemoryNeed Of(RunConfiguration run, RunOptions options, int workersElsewhere = 0)
    {
        var leaves = new LeafPlan(run.Batch, run.Leaves);
        int evaluated = run.EvaluateEvery == 0 ? 0 : run.EvaluationRows == 0 ? int.MaxValue : run.EvaluationRows;
        int rows = WorkerCompute.RowsMax(leaves, run.Shape.Block, evaluated);
        using var activations = new Activations(run.Shape, rows, options.Recompute, isMeasuredOnly: true);
        long vector = new ParameterLayout(run.Shape).Length * (long)sizeof(float);
        int all = options.Workers + workersElsewhere;
        long buffers = Enumerable.Range(0, options.Workers)
            .Sum(worker => (long)Buffers((int)((long)run.Leaves * worker / all), (int)((long)run.Leaves * (worker + 1) / all)));
        return new MemoryNeed(3 * vector, buffers * vector, options.Workers * activations.Bytes);
    }

    /// <summary>
    /// Gradient buffers of a worker that is leased these leaves, as the fewest nodes of the reduction tree: one for the sum of each node, and while a node is
    /// computed one for each of its levels besides.
    /// </summary>
    private static int Buffers(int leaf, int end)
    {
        int sums = 0, most = 0;
        while (leaf < end)
        {
            int level = 0;
            while (leaf % (2 << level) == 0 && leaf + (2 << level) <= end)
            {
                level++;
            }

            most = Math.Max(most, sums + level + 1);
            sums++;
            leaf += 1 << level;
        }

        return most;
    }
}
