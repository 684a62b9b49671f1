using Cllm.Actors.Local;
using Cllm.Cli.Display;
using Cllm.Model.Compute;
using Cllm.Model.Run;

namespace Cllm.Cli.Train;

/// <summary>Takes what a run reports to the metrics and to the display.</summary>
/// <param name="plan">What the run computes.</param>
/// <param name="metrics">The lines of metrics.jsonl.</param>
/// <param name="display">Who shows it.</param>
public sealed class RunObserver(RunPlan plan, RunMetrics metrics, IProgressDisplay display) : ITrainingObserver
{
    /// <summary>Loss of the last step; null before the first.</summary>
    public double? Loss { get; private set; }

    /// <summary>Why the metrics could not be written, which ended the run; null when they could.</summary>
    public Exception? Failure { get; private set; }

    /// <inheritdoc/>
    public void StepDone(long step, StepScalars scalars, TimeSpan elapsed)
    {
        double tokensPerSecond = plan.BatchTokens / Math.Max(elapsed.TotalSeconds, 1e-9);
        Loss = scalars.Loss;
        Keep(() => metrics.StepDone(
            new StepMetrics(step, scalars.Loss, scalars.GradientNorm, scalars.LearningRate, tokensPerSecond, elapsed.TotalMilliseconds)));
        display.Step(step + 1, scalars.Loss, tokensPerSecond, elapsed.TotalMilliseconds, scalars.LearningRate);
    }

    /// <inheritdoc/>
    public void EvaluationDone(long step, double loss)
    {
        metrics.EvaluationDone(loss);
        display.Validation(step, loss);
    }

    /// <inheritdoc/>
    public void CheckpointDone(long step, string digest)
    {
        // The digest is in the metrics already, and a checkpoint that went well is no news.
    }

    /// <inheritdoc/>
    public void Note(string reason) => display.Note(reason);

    /// <inheritdoc/>
    public void Failed(string sentence)
    {
        // Told to the user with the end of the run.
    }

    /// <summary>An exception here ends the run with a sentence about actors; the cause is kept, for it says what the user can do.</summary>
    private void Keep(Action write)
    {
        try
        {
            write();
        }
        catch (Exception failure)
        {
            Failure = failure;
            throw;
        }
    }
}
