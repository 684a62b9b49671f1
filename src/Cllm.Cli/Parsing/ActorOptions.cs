using System.CommandLine;
using Cllm.Actors;

namespace Cllm.Cli.Parsing;

/// <summary>The options that change the configuration of the actor system.</summary>
public sealed class ActorOptions
{
    private readonly Option<string?> _hocon = Values.Text("--hocon", "PATH", "More Akka.NET configuration, over akka.hocon.");

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "One key of that configuration, over all files and variables, such as cllm.patience=30s; may be given several times.",
        HelpName = "KEY=VALUE",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>The options, in the order in which help shows them.</summary>
    public IEnumerable<Option> All => [_hocon, _set];

    /// <summary>What the user gave.</summary>
    public HoconLayers Read(ParseResult parsed) => new(parsed.GetValue(_hocon), parsed.GetValue(_set) ?? []);
}
