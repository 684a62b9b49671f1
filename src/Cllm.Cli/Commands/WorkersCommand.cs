using System.CommandLine;
using Cllm.Actors.Inspection;
using Cllm.Cli.Display;
using Cllm.Cli.Inspect;
using Cllm.Cli.Parsing;

namespace Cllm.Cli.Commands;

/// <summary>`cllm workers`: leaves done, tokens/s, time in compute and wait, of each worker of a run.</summary>
public static class WorkersCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal, CancellationToken stop)
    {
        Option<long?> node = Values.Whole("--node", "Workers of this node alone.", 0, int.MaxValue);
        var command = new Command("workers", "Show the workers of a run and how they get on.") { node };
        int? wanted = null;
        var inspect = new InspectCommand(terminal, _ => [], run => [Tables.Workers(run, wanted)]);
        foreach (Option option in inspect.Options)
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            wanted = (int?)parsed.GetValue(node);
            return inspect.Run(parsed, (run, _) => RunViewJson.WriteWorkers(run, wanted), stop, wanted);
        });
        return command;
    }
}
