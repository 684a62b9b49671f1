using System.CommandLine;
using System.CommandLine.Help;
using System.Reflection;
using Cllm.Cli.Bench;
using Cllm.Cli.Commands;
using Cllm.Cli.Display;
using Cllm.Cli.Node;
using Cllm.Cli.Parsing;
using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Files;

namespace Cllm.Cli;

/// <summary>The whole command line: arguments in, exit code out, every failure one sentence on the error stream.</summary>
public static class CommandLine
{
    /// <summary>The variable that makes an unexpected failure print its stack trace when it is set to 1.</summary>
    public const string TraceVariable = "CLLM_TRACE";

    /// <summary>The program's version.</summary>
    public static string Version { get; } =
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Runs one command with plain output to the given writers.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter error, CancellationToken stop = default) =>
        Run(args, Terminal.Plain(output, error), stop);

    /// <summary>Runs one command.</summary>
    /// <param name="args">The arguments behind the program's name.</param>
    /// <param name="terminal">Where output and errors go.</param>
    /// <param name="stop">Asks the command to finish its step, write a checkpoint and leave, as Ctrl-C does.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, Terminal terminal, CancellationToken stop = default)
    {
        RootCommand root = Root(terminal, stop);
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not (HelpWithExamples or PrintVersion))
        {
            terminal.Fail(UsageSentence.For(parsed));
            return ExitCode.Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = terminal.Output,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception failure)
        {
            return Report(failure, terminal);
        }
    }

    /// <summary>What the parser finds wrong with a line; empty for a line it takes. Carries nothing out.</summary>
    public static IReadOnlyList<string> Check(string[] args) =>
        [.. Root(Terminal.Plain(TextWriter.Null, TextWriter.Null), default).Parse(args).Errors.Select(error => error.Message)];

    /// <summary>Turns a failure into its sentence and its exit code.</summary>
    public static int Report(Exception failure, Terminal terminal)
    {
        Exception cause = Unwrapped(failure);
        if (Environment.GetEnvironmentVariable(TraceVariable) == "1")
        {
            terminal.Error.WriteLine(failure);
        }

        switch (cause)
        {
            case InputException:
                terminal.Fail(OneLine(cause.Message));
                return ExitCode.Usage;
            case OperationCanceledException:
                terminal.Fail("Interrupted before there was anything to keep.");
                return ExitCode.Interrupted;
            case TrainingDivergedException:
                terminal.Fail($"Training ended: {OneLine(cause.Message)}");
                return ExitCode.Failure;
            case StorageException:
                terminal.Fail(OneLine(cause.Message));
                return ExitCode.Failure;
            case IOException or UnauthorizedAccessException:
                terminal.Fail(
                    $"Reading or writing failed: {OneLine(cause.Message)} Check the path, its permissions and the space left on the disk.");
                return ExitCode.Failure;
            case OutOfMemoryException:
                terminal.Fail("There is not enough memory for this; choose fewer --workers, --recompute, or a smaller --width, --layers or --batch.");
                return ExitCode.Failure;
            default:
                terminal.Fail(
                    $"This is a bug in cllm: {cause.GetType().Name}: {OneLine(cause.Message)} Set {TraceVariable}=1 to see where.");
                return ExitCode.Failure;
        }
    }

    private static RootCommand Root(Terminal terminal, CancellationToken stop)
    {
        var root = new RootCommand("Trains GPT-2 style language models on CPUs, with the same bits for any number of workers.")
        {
            TrainCommand.Create(request => TrainSession.Run(request, terminal, stop)),
            EvalCommand.Create(terminal),
            GenerateCommand.Create(terminal),
            DigestCommand.Create(terminal),
            BenchCommand.Create(terminal),
            NodeCommand.Create(request => NodeSession.Run(request, terminal, stop)),
            CertificateCommand.Create(terminal),
            StatusCommand.Create(terminal, stop),
            WorkersCommand.Create(terminal, stop),
        };
        root.Options.Remove(root.Options.Single(option => option is VersionOption));
        root.Add(new Option<bool>("--version")
        {
            Description = "Show the version.",
            Recursive = true,
            Action = new PrintVersion(Version),
        });
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        var showHelp = new HelpWithExamples((HelpAction)help.Action!);
        help.Aliases.Remove("/?");
        help.Aliases.Remove("/h");
        help.Aliases.Remove("-?");
        help.Description = "Show this help with examples.";
        help.Action = showHelp;
        root.SetAction(parsed =>
        {
            showHelp.Invoke(parsed);
            terminal.Fail("Name a command, for example `cllm train`.");
            return ExitCode.Usage;
        });
        return root;
    }

    private static Exception Unwrapped(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions.Count: 1 } wrapper => Unwrapped(wrapper.InnerExceptions[0]),
        TargetInvocationException { InnerException: { } inner } => Unwrapped(inner),
        TypeInitializationException { InnerException: { } inner } => Unwrapped(inner),
        _ => failure,
    };

    private static string OneLine(string message)
    {
        string line = message.ReplaceLineEndings(" ").Trim();
        return line.EndsWith('.') ? line : line + ".";
    }
}
