using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Cllm.Cli.Parsing;

/// <summary>What --help does: the library's description of the options, and below it the command's examples.</summary>
public sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach ((string line, string meaning) in Examples.Of(parseResult.CommandResult.Command.Name))
        {
            output.WriteLine($"  # {meaning}");
            output.WriteLine($"  {line}");
        }

        return code;
    }
}
