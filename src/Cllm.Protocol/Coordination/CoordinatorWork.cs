using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Coordination;

/// <summary>Make a step's scalars from its losses and norms; answered by <see cref="StatisticsCombined"/>.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Leaves">The leaves' words, in leaf order.</param>
/// <param name="Shards">The shards' words, in shard order.</param>
public sealed record CombineStatistics(Epoch Epoch, Step Step, Payload Leaves, Payload Shards) : Work;

/// <summary>A step's scalars.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Payload">The scalars.</param>
public sealed record StatisticsCombined(Epoch Epoch, Step Step, Payload Payload) : StepInput(Epoch, Step);

/// <summary>Make the loss of an evaluation from its units; answered by <see cref="EvaluationCombined"/>.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step whose weights were evaluated.</param>
/// <param name="Units">The units' words, in unit order.</param>
public sealed record CombineEvaluation(Epoch Epoch, Step Step, Payload Units) : Work;

/// <summary>The loss of an evaluation.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step whose weights were evaluated.</param>
/// <param name="Payload">The loss.</param>
public sealed record EvaluationCombined(Epoch Epoch, Step Step, Payload Payload) : StepInput(Epoch, Step);

/// <summary>
/// Copy the run's state, then write the copy as a checkpoint. Answered by <see cref="SnapshotTaken"/> as soon as training may go on, and
/// by
/// <see cref="CheckpointWritten"/> or <see cref="CheckpointFailed"/> when the writing is over.
/// </summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step that the state stands at.</param>
public sealed record TakeCheckpoint(Epoch Epoch, Step Step) : Work;

/// <summary>The state has been copied.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step that the state stands at.</param>
public sealed record SnapshotTaken(Epoch Epoch, Step Step) : StepInput(Epoch, Step);

/// <summary>A checkpoint is on disk. It holds whatever has happened meanwhile, so no epoch fences it.</summary>
/// <param name="Step">The step of its state.</param>
/// <param name="Digest">Digest of its weights, hexadecimal.</param>
public sealed record CheckpointWritten(Step Step, string Digest) : Input;

/// <summary>A checkpoint could not be taken or written.</summary>
/// <param name="Step">The step of its state.</param>
/// <param name="Reason">Why.</param>
public sealed record CheckpointFailed(Step Step, string Reason) : Input;

/// <summary>
/// Bring all slices back to the newest checkpoint, or to the initial state; answered by <see cref="Restored"/> or <see
/// cref="RestoreFailed"/>.
/// </summary>
/// <param name="Epoch">The epoch.</param>
public sealed record Restore(Epoch Epoch) : Work;

/// <summary>All slices stand at a step again.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">That step.</param>
public sealed record Restored(Epoch Epoch, Step Step) : Input;

/// <summary>The state could not be brought back.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Reason">Why.</param>
public sealed record RestoreFailed(Epoch Epoch, string Reason) : Input;

/// <summary>
/// A step is done, for the first time: one that is repeated after going back to a checkpoint is not reported again. A coordinator that succeeds another knows
/// of the first time only what was persisted, so it may report a step once more, with the same scalars, and one that was done as the other was lost never is.
/// </summary>
/// <param name="Step">The step.</param>
/// <param name="Payload">Its scalars.</param>
/// <param name="ElapsedTicks">Time from its first lease to its last update, in units of 100 nanoseconds.</param>
public sealed record StepReported(Step Step, Payload Payload, long ElapsedTicks) : Report;

/// <summary>An evaluation is done, for the first time.</summary>
/// <param name="Step">The step whose weights were evaluated.</param>
/// <param name="Payload">Its loss.</param>
public sealed record EvaluationReported(Step Step, Payload Payload) : Report;

/// <summary>A checkpoint is on disk.</summary>
/// <param name="Step">The step of its state.</param>
/// <param name="Digest">Digest of its weights, hexadecimal.</param>
public sealed record CheckpointReported(Step Step, string Digest) : Report;

/// <summary>How a run ended.</summary>
public enum RunOutcome
{
    /// <summary>All steps are done and the last checkpoint is written.</summary>
    Finished,

    /// <summary>It was asked to stop, and its state is in a checkpoint.</summary>
    Stopped,

    /// <summary>It cannot go on.</summary>
    Failed,
}

/// <summary>The run has ended.</summary>
/// <param name="Outcome">How.</param>
/// <param name="Step">The step that comes next: all before it are committed.</param>
/// <param name="Reason">One sentence.</param>
public sealed record RunEnded(RunOutcome Outcome, Step Step, string Reason) : Finish;
