using Akka.Actor;
using Cllm.Protocol.Coordination;

namespace Cllm.Actors.Local;

/// <summary>How a training run ended.</summary>
/// <param name="CommittedSteps">Updates made, all of them whole.</param>
/// <param name="Outcome">Finished, stopped as asked, or failed.</param>
/// <param name="Sentence">Why, in one sentence for the user.</param>
public sealed record TrainingEnd(long CommittedSteps, RunOutcome Outcome, string Sentence) : INoSerializationVerificationNeeded
{
    /// <summary>Whether this process was never taken in.</summary>
    public bool IsRefused { get; init; }

    /// <summary>
    /// Whether this process may join the run under another number: another one has drawn the same, or the others have gone on without this one, which they
    /// could not reach for a while.
    /// </summary>
    public bool MayJoinAgain { get; init; }

    /// <summary>Whether this process coordinated the run when it ended, or before it was struck off.</summary>
    public bool HasCoordinated { get; init; }

    /// <summary>Whether this process has left a run that goes on: it was asked to, or was drained.</summary>
    public bool HasLeft { get; init; }
}
