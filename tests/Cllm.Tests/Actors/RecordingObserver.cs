using System.Collections.Concurrent;
using Cllm.Actors.Local;
using Cllm.Model.Compute;

namespace Cllm.Tests.Actors;

/// <summary>Keeps what a run told, and calls back at each step and note.</summary>
internal sealed class RecordingObserver : ITrainingObserver
{
    public Action<long> AtStep { get; init; } = _ => { };

    public Action<string> AtNote { get; init; } = _ => { };

    public List<(long Step, StepScalars Scalars)> Steps { get; } = [];

    public List<(long Step, double Loss)> Evaluations { get; } = [];

    public List<(long Step, string Digest)> Checkpoints { get; } = [];

    public ConcurrentQueue<string> Notes { get; } = new();

    public string? Failure { get; private set; }

    public void StepDone(long step, StepScalars scalars, TimeSpan elapsed)
    {
        Steps.Add((step, scalars));
        AtStep(step);
    }

    public void EvaluationDone(long step, double loss) => Evaluations.Add((step, loss));

    public void CheckpointDone(long step, string digest) => Checkpoints.Add((step, digest));

    public void Note(string reason)
    {
        Notes.Enqueue(reason);
        AtNote(reason);
    }

    public void Failed(string sentence) => Failure = sentence;
}
