using Spectre.Console;

namespace Cllm.Cli.Display;

/// <summary>Where output and errors go, and whether a person is watching.</summary>
public sealed class Terminal
{
    private Terminal(TextWriter output, TextWriter error, IAnsiConsole? live, bool ownsProcess)
    {
        Output = output;
        Error = error;
        Live = live;
        OwnsProcess = ownsProcess;
    }

    /// <summary>Standard output, unadorned: what a script reads.</summary>
    public TextWriter Output { get; }

    /// <summary>Standard error: one sentence for each thing that went wrong.</summary>
    public TextWriter Error { get; }

    /// <summary>The console to draw on; null where colours and moving parts are not wanted.</summary>
    public IAnsiConsole? Live { get; }

    /// <summary>Whether the command is the whole process, so that signals to the process are meant for it.</summary>
    public bool OwnsProcess { get; }

    /// <summary>The terminal this process was started in: live if it is one, and neither NO_COLOR nor TERM=dumb says otherwise.</summary>
    public static Terminal OfThisProcess()
    {
        bool plain = Console.IsOutputRedirected
            || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            || Environment.GetEnvironmentVariable("TERM") is "dumb"
            || !AnsiConsole.Profile.Capabilities.Ansi;
        return new Terminal(Console.Out, Console.Error, plain ? null : AnsiConsole.Console, ownsProcess: true);
    }

    /// <summary>A terminal that writes lines and nothing else.</summary>
    public static Terminal Plain(TextWriter output, TextWriter error) => new(output, error, null, ownsProcess: false);

    /// <summary>Writes one line as it is.</summary>
    public void Say(string line) => Output.WriteLine(line);

    /// <summary>Writes the sentence that says what went wrong, on one line: libraries may break theirs.</summary>
    public void Fail(string sentence) => Error.WriteLine($"cllm: {sentence.ReplaceLineEndings(" ")}");

    /// <summary>Writes a heading.</summary>
    public void Heading(string text)
    {
        Output.WriteLine();
        if (Live is null)
        {
            Output.WriteLine($"{text}:");
        }
        else
        {
            Live.Write(new Rule($"[bold]{Markup.Escape(text)}[/]").LeftJustified());
        }
    }

    /// <summary>Writes names and values, one pair a line.</summary>
    public void Table(IReadOnlyList<(string Name, string Value)> rows)
    {
        if (Live is null)
        {
            int width = rows.Max(row => row.Name.Length) + 2;
            foreach ((string name, string value) in rows)
            {
                Output.WriteLine($"  {name.PadRight(width)}{value}");
            }

            return;
        }

        Table table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("name").AddColumn("value");
        foreach ((string name, string value) in rows)
        {
            table.AddRow(new Text($" {name}", new Style(Color.Grey)), new Text(value));
        }

        Live.Write(table);
    }
}
