using Cllm.Model.Optimization;
using Cllm.Model.Run;

namespace Cllm.Model.Compute;

/// <summary>Joins what workers and shards report of a step into the numbers of its commit; fixed orders of addition, in double.</summary>
public static class StepCombination
{
    /// <summary>Loss, gradient norm, learning rate and clip of a step.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="step">The step, counted from 0.</param>
    /// <param name="leafLosses">Sum of the token losses of each leaf, in leaf order.</param>
    /// <param name="blockNorms">Squared norm of each norm block of the summed gradient, in order.</param>
    public static StepScalars Combine(RunPlan plan, long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms)
    {
        double loss = Sum(leafLosses) / plan.BatchTokens;
        double norm = Math.Sqrt(Sum(blockNorms));
        RunConfiguration run = plan.Configuration;
        return new StepScalars(loss, norm, LearningRateSchedule.At(run.Optimizer, run.Steps, step), AdamWStep.ClipScale(run.Optimizer, norm));
    }

    /// <summary>Mean loss a token over the evaluated rows.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="unitLosses">Sum of the token losses of each evaluation unit, in order.</param>
    public static double CombineEvaluation(RunPlan plan, ReadOnlySpan<double> unitLosses) =>
        Sum(unitLosses) / ((double)plan.HeldOutRows * plan.Configuration.Shape.Block);

    private static double Sum(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values)
        {
            sum += value;
        }

        return sum;
    }
}
