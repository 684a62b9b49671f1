using System.CommandLine;
using System.CommandLine.Invocation;

namespace Cllm.Cli.Parsing;

/// <summary>What --version does, before any other option is looked at.</summary>
public sealed class PrintVersion(string version) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine($"cllm {version}");
        return ExitCode.Success;
    }
}
