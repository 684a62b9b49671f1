using Cllm.Model.Run;

namespace Cllm.Cli.Train;

/// <summary>
/// Writes each step's line of metrics.jsonl once, whole and in order. The newest line waits for what may follow its step: an evaluation,
/// and the digest of a checkpoint, which another thread computes while training goes on; later lines wait behind it.
/// </summary>
public sealed class RunMetrics : IDisposable
{
    private readonly MetricsWriter _writer;
    private readonly Lock _gate = new();
    private readonly List<StepMetrics> _waiting = [];
    private bool _isDigestAwaited;
    private bool _hasFailed;

    /// <summary>Opens the file.</summary>
    /// <param name="path">Path of metrics.jsonl.</param>
    /// <param name="firstStep">Steps already done; lines of later ones are dropped.</param>
    /// <exception cref="Model.Files.StorageException">The disk is full or failed.</exception>
    public RunMetrics(string path, long firstStep) => _writer = new MetricsWriter(path, firstStep);

    /// <summary>A step is done.</summary>
    /// <exception cref="Model.Files.StorageException">The disk is full or failed.</exception>
    public void StepDone(in StepMetrics metrics)
    {
        lock (_gate)
        {
            if (!_isDigestAwaited)
            {
                WriteThrough(long.MaxValue);
            }

            _waiting.Add(metrics);
        }
    }

    /// <summary>The newest step was followed by an evaluation.</summary>
    public void EvaluationDone(double loss)
    {
        lock (_gate)
        {
            if (_waiting.Count > 0)
            {
                _waiting[^1] = _waiting[^1] with { ValidationLoss = loss };
            }
        }
    }

    /// <summary>
    /// The state after <paramref name="steps"/> steps goes into a checkpoint; <see cref="CheckpointFollows"/> will tell its digest.
    /// </summary>
    public void SnapshotTaken(long steps)
    {
        lock (_gate)
        {
            // A run that went back repeats steps whose lines were written long ago: nothing waits for a digest then.
            _isDigestAwaited = _waiting.Count > 0 && _waiting[^1].Step == steps - 1;
        }
    }

    /// <summary>
    /// The state after <paramref name="steps"/> steps has that digest and is about to be written. When this returns, the lines of these
    /// steps last through a power loss. May be called by another thread than the rest.
    /// </summary>
    /// <exception cref="Model.Files.StorageException">The disk is full or failed.</exception>
    public void CheckpointFollows(long steps, string digest)
    {
        lock (_gate)
        {
            _isDigestAwaited = false;
            int line = _waiting.FindIndex(waiting => waiting.Step == steps - 1);
            if (line >= 0)
            {
                _waiting[line] = _waiting[line] with { Digest = digest };
            }

            // The newest line may be one of a later step and still wait for its evaluation.
            WriteThrough(steps - 1);
        }

        // Outside, for training does not wait for the disk.
        _writer.FlushToDisk();
    }

    /// <summary>Writes the last lines, unless writing has failed before, and closes the file.</summary>
    public void Dispose()
    {
        try
        {
            if (!_hasFailed)
            {
                WriteThrough(long.MaxValue);
            }
        }
        finally
        {
            _writer.Dispose();
        }
    }

    private void WriteThrough(long step)
    {
        int written = 0;
        _hasFailed = true;
        try
        {
            while (written < _waiting.Count && _waiting[written].Step <= step)
            {
                _writer.Write(_waiting[written]);
                written++;
            }

            _hasFailed = false;
        }
        finally
        {
            _waiting.RemoveRange(0, written);
        }
    }
}
