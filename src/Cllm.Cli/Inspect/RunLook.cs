using Cllm.Actors.Inspection;

namespace Cllm.Cli.Inspect;

/// <summary>What came of one look at a run.</summary>
/// <param name="View">The run's view; null when there is none.</param>
/// <param name="Json">The JSON it came in; empty without.</param>
/// <param name="Sentence">Why there is none; empty when there is.</param>
public sealed record RunLook(RunView? View, string Json, string Sentence)
{
    /// <summary>Whether the process answers although its run does not, which passes: whoever watches looks again.</summary>
    public bool IsProcessThere { get; init; }
}
