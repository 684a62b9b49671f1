using Cllm.Actors.Wire;

namespace Cllm.Actors.Inspection;

/// <summary>What an operator may tell a run.</summary>
public enum RunAction
{
    /// <summary>Finish the step, then wait.</summary>
    Pause,

    /// <summary>Go on after a pause.</summary>
    Resume,

    /// <summary>Write a checkpoint before the next step.</summary>
    Checkpoint,

    /// <summary>Let a node go: it finishes what it was leased and leaves.</summary>
    Drain,
}

/// <summary>Asks a coordinator's actor for a <see cref="RunSeen"/>.</summary>
public sealed record RunAsked : IWire;

/// <summary>Answer to <see cref="RunAsked"/>.</summary>
/// <param name="View">The run at this moment.</param>
public sealed record RunSeen(RunView View) : IWire;

/// <summary>Tells a coordinator's actor to do something; it answers with a <see cref="RunAnswer"/>.</summary>
/// <param name="Action">What.</param>
/// <param name="Node">The node to drain; none for all other actions.</param>
public sealed record RunOrder(RunAction Action, int? Node) : IWire;

/// <summary>Answer to <see cref="RunOrder"/>.</summary>
/// <param name="IsTaken">Whether it will be done.</param>
/// <param name="Sentence">What will be done, or why it will not.</param>
public sealed record RunAnswer(bool IsTaken, string Sentence) : IWire;
