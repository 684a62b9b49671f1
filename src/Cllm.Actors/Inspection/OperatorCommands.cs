namespace Cllm.Actors.Inspection;

/// <summary>
/// What an operator may ask of a run and tell it, as lines of text: everything behind the pbm palette, and behind the POST actions of the status endpoint.
/// </summary>
/// <param name="control">The run.</param>
public sealed class OperatorCommands(RunControl control)
{
    private const string Silence = "The run's coordinator does not answer; it may be restoring a checkpoint, or be on its way to another node.";

    /// <summary>The names of the commands, each with what it does and whether it is for one node.</summary>
    public static IReadOnlyList<(string Name, string Description, bool TakesNode)> All { get; } =
    [
        ("status", "How the run stands, what it waits for, and what it survived.", false),
        ("workers", "The workers: leaves done, tokens/s, time in compute and wait.", true),
        ("leases", "Leases without an answer yet, the oldest first.", false),
        ("checkpoint", "Write a checkpoint before the next step.", false),
        ("pause", "Finish the step, then wait.", false),
        ("resume", "Go on after a pause.", false),
        ("drain", "Let a node finish what it was leased, and go.", true),
    ];

    /// <summary>Carries one out.</summary>
    /// <param name="name">One of the names.</param>
    /// <param name="node">The node that it is for; none for all.</param>
    /// <returns>Whether it was carried out, and what to show.</returns>
    public async Task<(bool IsDone, IReadOnlyList<string> Lines)> RunAsync(string name, int? node = null)
    {
        switch (name)
        {
            case "status":
                return await ShowAsync(Status).ConfigureAwait(false);
            case "workers":
                return await ShowAsync(run => Tables.Workers(run, node).Lines(), node).ConfigureAwait(false);
            case "leases":
                return await ShowAsync(run => Tables.Leases(run).Lines()).ConfigureAwait(false);
        }

        if (ActionOf(name) is not { } action)
        {
            return (false, [$"'{name}' is no command; there are {string.Join(", ", All.Select(command => command.Name))}."]);
        }

        var answer = await control.OrderAsync(action, node).ConfigureAwait(false);
        return (answer.IsTaken, [answer.Sentence]);
    }

    /// <summary>The action of that name; none when it is none.</summary>
    public static RunAction? ActionOf(string name) => name switch
    {
        "pause" => RunAction.Pause,
        "resume" => RunAction.Resume,
        "checkpoint" => RunAction.Checkpoint,
        "drain" => RunAction.Drain,
        _ => null,
    };

    private static IEnumerable<string> Status(RunView run)
    {
        var rows = Tables.Status(run);
        var width = rows.Max(row => row.Name.Length) + 2;
        return [.. rows.Select(row => row.Name.PadRight(width) + row.Value), "", .. Tables.Nodes(run).Lines()];
    }

    private async Task<(bool IsDone, IReadOnlyList<string> Lines)> ShowAsync(Func<RunView, IEnumerable<string>> show, int? node = null)
    {
        if (await control.ViewAsync().ConfigureAwait(false) is not { } run)
        {
            return (false, [Silence]);
        }

        return run.ObjectionTo(node) is { } objection ? (false, [objection]) : (true, [.. show(run)]);
    }
}
