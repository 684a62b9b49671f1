using Cllm.Model.Compute;
using Cllm.Model.Feed;
using Cllm.Model.Run;

namespace Cllm.Cli.Train;

/// <summary>The rows that a run reads from its tokens: a pure function of configuration and tokens, so every process of a run has the same.</summary>
public static class RunRows
{
    /// <summary>Which tokens are trained on and which are held out.</summary>
    public static DataSplit Split(RunConfiguration run, TokenFile tokens) => DataSplit.Create(tokens.Length, run.ValidationFraction, run.Shape.Block);

    /// <summary>What the run computes, with the rows it reads.</summary>
    public static RunPlan Plan(RunConfiguration run, TokenFile tokens)
    {
        DataSplit split = Split(run, tokens);
        int block = run.Shape.Block;
        var training = new TrainingRows(tokens, 0, split.TrainingCount, block, run.Batch, run.Seed, run.Order);
        HeldOutRows? heldOut = run.ValidationFraction == 0 || run.EvaluateEvery == 0
            ? null
            : new HeldOutRows(tokens, split.HeldOutFirst, split.HeldOutCount, block, run.EvaluationRows);
        return new RunPlan(run, training.Read, heldOut?.Count ?? 0, heldOut is null ? static (_, _) => { } : heldOut.Read);
    }
}
