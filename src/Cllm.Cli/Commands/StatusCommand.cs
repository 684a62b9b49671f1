using System.CommandLine;
using Cllm.Actors.Inspection;
using Cllm.Cli.Display;
using Cllm.Cli.Inspect;

namespace Cllm.Cli.Commands;

/// <summary>`cllm status`: how a run stands, what it waits for, its nodes.</summary>
public static class StatusCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal, CancellationToken stop)
    {
        var inspect = new InspectCommand(terminal, Tables.Status, run => [Tables.Nodes(run), Tables.Shards(run)]);
        var command = new Command("status", "Show how a run stands, what it waits for, and what it survived.");
        foreach (Option option in inspect.Options)
        {
            command.Add(option);
        }

        command.SetAction(parsed => inspect.Run(parsed, (_, json) => json.Trim(), stop));
        return command;
    }
}
