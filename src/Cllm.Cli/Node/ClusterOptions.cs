using System.CommandLine;
using Cllm.Actors.Bootstrap;
using Cllm.Cli.Parsing;
using Cllm.Model;

namespace Cllm.Cli.Node;

/// <summary>The options of `cllm train` that make its run one that other processes can join.</summary>
public sealed class ClusterOptions
{
    private const int NodesMax = 4096;
    private const int StandbysMax = 6;

    private readonly Option<string?> _listen = Values.Text(
        "--listen", "HOST:PORT", "Let `cllm node --join HOST:PORT` processes join; HOST is how they reach this machine. [default: nobody joins]");

    private readonly Option<long?> _waitForNodes = Values.Whole(
        "--wait-for-nodes", "Begin when so many processes take part, this one included. [default: 1]", 1, NodesMax);

    private readonly Option<long?> _minNodes = Values.Whole(
        "--min-nodes", "Pause while fewer processes take part, this one included. [default: 1]", 1, NodesMax);

    private readonly Option<long?> _standbys = Values.Whole(
        "--standbys", "`cllm node --standby` processes that can take over when this one is lost: 0, 2, 4 or 6, for a majority has to remain. [default: 0]",
        0, StandbysMax);

    private readonly Option<string?> _tls = Values.Text(
        "--tls", "DIR", "Certificates made by `cllm certificate`; needed for any --listen but this machine's own.");

    /// <summary>The options, in the order in which help shows them.</summary>
    public IEnumerable<Option> All => [_listen, _waitForNodes, _minNodes, _standbys, _tls];

    /// <summary>What the user gave; null for a run that nobody joins.</summary>
    /// <exception cref="InputException">An option makes no sense without or beside another.</exception>
    public ClusterRequest? Read(ParseResult parsed)
    {
        if (parsed.GetValue(_listen) is not { } listen)
        {
            Option? idle = All.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
            return idle is null ? null : throw new InputException($"{idle.Name} is for a run that others can join; give --listen HOST:PORT as well.");
        }

        var address = NodeAddress.Parse(listen, "--listen");
        if (address.Port == 0)
        {
            throw new InputException($"--listen is '{listen}' and others have to know the port; give one above 0.");
        }

        long standbys = parsed.GetValue(_standbys) ?? 0;
        if (standbys % 2 != 0)
        {
            throw new InputException($"--standbys is {standbys}, and of an even number of processes no majority remains when one is lost; give 0, 2, 4 or 6.");
        }

        // Standbys have to be there from the start: a coordinator that is the only one of three cannot know that it is not the one cut off.
        long waitForNodes = Math.Max(parsed.GetValue(_waitForNodes) ?? 1, 1 + standbys);
        return new ClusterRequest(
            address, (int)waitForNodes, (int)(parsed.GetValue(_minNodes) ?? 1), (int)standbys, parsed.GetValue(_tls));
    }
}

/// <summary>What the user asked of a run that others can join.</summary>
/// <param name="Listen">Where others reach this process.</param>
/// <param name="WaitForNodes">Processes that take part before the first step.</param>
/// <param name="MinNodes">Processes without which the run pauses.</param>
/// <param name="Standbys">Other processes that can coordinate the run.</param>
/// <param name="TlsPath">Folder of the certificates; null without.</param>
public sealed record ClusterRequest(NodeAddress Listen, int WaitForNodes, int MinNodes, int Standbys, string? TlsPath)
{
    /// <summary>Processes that can coordinate the run, this one included.</summary>
    public int Coordinators => 1 + Standbys;
}
