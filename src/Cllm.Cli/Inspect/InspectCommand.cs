using System.CommandLine;
using Cllm.Actors.Inspection;
using Cllm.Cli.Display;
using Cllm.Cli.Parsing;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cllm.Cli.Inspect;

/// <summary>What `cllm status` and `cllm workers` have in common: they ask a run once, or again and again, and show the answer.</summary>
/// <param name="terminal">Where it is shown.</param>
/// <param name="rows">Names and values above the tables.</param>
/// <param name="tables">The tables.</param>
public sealed class InspectCommand(
    Terminal terminal, Func<RunView, IReadOnlyList<(string Name, string Value)>> rows, Func<RunView, IReadOnlyList<TextTable>> tables)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private readonly Option<string?> _at = Values.Text(
        "--at", "HOST:PORT", $"Where the run serves its status. [default: {InspectionServer.DefaultAddress}]");

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object, a line for each look.", Arity = ArgumentArity.Zero };

    private readonly Option<bool> _watch = new("--watch") { Description = "Look every second until Ctrl-C or the run's end.", Arity = ArgumentArity.Zero };

    /// <summary>Its options.</summary>
    public IReadOnlyList<Option> Options => [_at, _json, _watch];

    /// <summary>Carries it out.</summary>
    /// <param name="parsed">The options' values.</param>
    /// <param name="json">The JSON to show of an answer: the answer itself, or a part of it.</param>
    /// <param name="stop">Ends watching, as Ctrl-C does.</param>
    /// <param name="node">A node that has to be in the run; null where none was named.</param>
    public int Run(ParseResult parsed, Func<RunView, string, string> json, CancellationToken stop, int? node = null)
    {
        using var run = new RunAddress(parsed.GetValue(_at) ?? InspectionServer.DefaultAddress);
        var asJson = parsed.GetValue(_json);
        RunLook look = run.Ask(stop);
        if (look.View is not { } view)
        {
            terminal.Fail(look.Sentence);
            return ExitCode.Failure;
        }

        if (view.ObjectionTo(node) is { } objection)
        {
            terminal.Fail(objection);
            return ExitCode.Usage;
        }

        if (!parsed.GetValue(_watch))
        {
            Show(view, asJson ? json(view, look.Json) : null);
            return ExitCode.Success;
        }

        using var signals = new StopSignals(terminal.OwnsProcess, stop);
        if (terminal.Live is null || asJson)
        {
            Watch(run, look, asJson ? json : null, signals.Token);
        }
        else
        {
            Draw(terminal.Live, run, view, signals.Token);
        }

        return ExitCode.Success;
    }

    private void Watch(RunAddress run, RunLook first, Func<RunView, string, string>? json, CancellationToken stop)
    {
        RunLook look = first;
        for (; look.View is not null || look.IsProcessThere; look = run.Ask(stop))
        {
            if (look.View is { } view)
            {
                Show(view, json?.Invoke(view, look.Json));
                terminal.Output.Flush();
            }

            if (stop.WaitHandle.WaitOne(BetweenLooks))
            {
                return;
            }
        }

        if (json is null)
        {
            SayOver(run, stop);
        }
    }

    /// <summary>That a run that was watched is there no longer is how watching ends, and no failure.</summary>
    private void SayOver(RunAddress run, CancellationToken stop)
    {
        if (!stop.IsCancellationRequested)
        {
            terminal.Say($"Nobody answers at {run} any more: the run is over, or this process of it.");
        }
    }

    private void Draw(IAnsiConsole console, RunAddress run, RunView view, CancellationToken stop)
    {
        console.Live(Picture(view)).Start(context =>
        {
            var isThere = true;
            while (isThere && !stop.WaitHandle.WaitOne(BetweenLooks))
            {
                RunLook look = run.Ask(stop);
                isThere = look.View is not null || look.IsProcessThere;
                if (look.View is { } seen)
                {
                    context.UpdateTarget(Picture(seen));
                }
            }
        });
        SayOver(run, stop);
    }

    private void Show(RunView view, string? json)
    {
        if (json is not null)
        {
            terminal.Say(json);
        }
        else if (terminal.Live is not null)
        {
            terminal.Live.Write(Picture(view));
        }
        else
        {
            if (rows(view) is { Count: > 0 } pairs)
            {
                terminal.Table(pairs);
            }

            foreach (TextTable table in tables(view))
            {
                terminal.Heading(table.Title);
                foreach (string line in table.Lines())
                {
                    terminal.Say($"  {line}");
                }
            }
        }
    }

    private Rows Picture(RunView view)
    {
        var parts = new List<IRenderable>();
        if (rows(view) is { Count: > 0 } pairs)
        {
            Table grid = new Table().Border(TableBorder.None).HideHeaders().AddColumn("name").AddColumn("value");
            foreach ((string name, string value) in pairs)
            {
                grid.AddRow(new Text($" {name}", new Style(Color.Grey)), new Text(value, new Style(name == "stuck" ? Color.Red : Color.Default)));
            }

            parts.Add(grid);
        }

        foreach (TextTable table in tables(view))
        {
            Table drawn = new Table().Border(TableBorder.Rounded).Title(table.Title);
            for (int column = 0; column < table.Columns.Length; column++)
            {
                var head = new TableColumn(new Text(table.Columns[column], new Style(Color.Grey)));
                drawn.AddColumn(table.Numbers.Contains(column) ? head.RightAligned() : head);
            }

            foreach (string[] row in table.Rows)
            {
                drawn.AddRow(row.Select(cell => new Text(cell)));
            }

            parts.Add(drawn);
        }

        return new Rows(parts);
    }
}
