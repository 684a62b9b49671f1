using Cllm.Model.Compute;

namespace Cllm.Actors.Local;

/// <summary>Watches a training run. Called by the coordinator's thread, which waits: be quick. An exception ends the run.</summary>
public interface ITrainingObserver
{
    /// <summary>A step is done, for the first time: one that is repeated after a failure is not told again.</summary>
    /// <param name="step">The step, from 0: after step 0 one update is made.</param>
    /// <param name="scalars">Its loss, norm and learning rate.</param>
    /// <param name="elapsed">Time from its first lease to its last update.</param>
    void StepDone(long step, StepScalars scalars, TimeSpan elapsed);

    /// <summary>The held-out data was evaluated.</summary>
    /// <param name="step">Updates made so far.</param>
    /// <param name="loss">What the host combined.</param>
    void EvaluationDone(long step, double loss);

    /// <summary>A checkpoint is on disk.</summary>
    /// <param name="step">Updates in it.</param>
    /// <param name="digest">Digest of its weights, hexadecimal.</param>
    void CheckpointDone(long step, string digest);

    /// <summary>Something out of the ordinary happened, and why the run does what it does about it.</summary>
    /// <param name="reason">One sentence.</param>
    void Note(string reason);

    /// <summary>The run has failed. Called last, when all actors are gone, before RunAsync returns.</summary>
    /// <param name="sentence">Why.</param>
    void Failed(string sentence);
}
