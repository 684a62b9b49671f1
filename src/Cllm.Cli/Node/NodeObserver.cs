using Cllm.Actors.Local;
using Cllm.Cli.Display;
using Cllm.Cli.Train;
using Cllm.Model.Compute;

namespace Cllm.Cli.Node;

/// <summary>
/// Shows what happens at a node. While it coordinates the run, which a standby may come to do, it hears of every step and writes the run's metrics.
/// </summary>
/// <param name="plan">What the run computes.</param>
/// <param name="metricsPath">Where metrics go; null where this process never coordinates.</param>
/// <param name="display">Who shows it.</param>
public sealed class NodeObserver(RunPlan plan, string? metricsPath, IProgressDisplay display) : ITrainingObserver, IDisposable
{
    private readonly Lock _gate = new();
    private RunMetrics? _metrics;
    private RunObserver? _run;

    /// <summary>The first step that was heard of here; null where the run was never coordinated from here.</summary>
    public long? FirstStep { get; private set; }

    /// <summary>Loss of the last step heard of.</summary>
    public double? Loss => _run?.Loss;

    /// <summary>Why the metrics could not be written; null when they could.</summary>
    public Exception? Failure => _run?.Failure;

    /// <inheritdoc/>
    public void StepDone(long step, StepScalars scalars, TimeSpan elapsed) => From(step).StepDone(step, scalars, elapsed);

    /// <inheritdoc/>
    public void EvaluationDone(long step, double loss) => From(step).EvaluationDone(step, loss);

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

    /// <summary>The state after so many steps was copied for a checkpoint.</summary>
    public void SnapshotTaken(long steps)
    {
        lock (_gate)
        {
            _metrics?.SnapshotTaken(steps);
        }
    }

    /// <summary>That state has a digest and is about to be written; any thread.</summary>
    public void CheckpointFollows(long steps, string digest)
    {
        RunMetrics? metrics;
        lock (_gate)
        {
            metrics = _metrics;
        }

        metrics?.CheckpointFollows(steps, digest);
    }

    /// <inheritdoc/>
    public void Dispose() => _metrics?.Dispose();

    private RunObserver From(long step)
    {
        lock (_gate)
        {
            if (_run is null)
            {
                FirstStep = step;
                _metrics = new RunMetrics(metricsPath ?? throw new InvalidOperationException("a node without a folder coordinates nothing"), step);
                _run = new RunObserver(plan, _metrics, display);
            }

            return _run;
        }
    }
}
