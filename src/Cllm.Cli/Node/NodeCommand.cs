using System.CommandLine;
using Cllm.Actors.Bootstrap;
using Cllm.Cli.Parsing;
using Cllm.Model;

namespace Cllm.Cli.Node;

/// <summary>`cllm node`: its options, and from them a request.</summary>
public sealed class NodeCommand
{
    /// <summary>A worker's number is its node's and one of so many.</summary>
    private const int WorkersMax = 64;

    private const int ThreadsMax = 1024;

    private readonly Option<string?> _join = Values.Text(
        "--join", "HOST:PORT", "Where `cllm train --listen`, or any other node of the run, listens. [default: akka.cluster.seed-nodes of the actor configuration]");

    private readonly Option<string?> _listen = Values.Text(
        "--listen", "HOST:PORT", "How others reach this process; port 0 is any. [default: the address that faces the run, any port]");

    private readonly Option<long?> _workers = Values.Whole("--workers", "Workers in this process. [default: all cores; changes no bit of the result]", 1, WorkersMax);

    private readonly Option<long?> _threads = Values.Whole(
        "--threads-per-worker", "Threads of each worker. [default: all cores; changes no bit of the result]", 1, ThreadsMax);

    private readonly Option<bool> _recompute = new("--recompute")
    {
        Description = "Compute activations again in the backward pass here: a quarter slower, far less memory; changes no bit of the result.",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<string?> _data = Values.Text("--data", "PATH", "The run's data, where they are here too. [default: the run sends its token ids]");

    private readonly Option<bool> _standby = new("--standby")
    {
        Description = "Take the run over when the process that coordinates it is lost; needs --out, and `cllm train --standbys`.",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<string?> _out = Values.Text("--out", "DIR", "The run's folder if this process takes it over.");
    private readonly Option<string?> _tls = Values.Text("--tls", "DIR", "Certificates made by `cllm certificate`; the run's own CA has to be in it.");
    private readonly ActorOptions _actors = new();

    private readonly Option<string?> _metricsListen = Values.Text(
        "--metrics-listen", "HOST:PORT", "Serve /metrics, /healthz and /status here too. [default: off]");

    private NodeCommand() { }

    /// <summary>The command for the parser.</summary>
    /// <param name="run">Carries a request out and returns the exit code.</param>
    public static Command Create(Func<NodeRequest, int> run)
    {
        var options = new NodeCommand();
        var command = new Command("node", "Take part in a run that another process has started, until it ends or Ctrl-C.")
        {
            options._join, options._listen, options._workers, options._threads, options._recompute, options._data, options._standby, options._out,
            options._tls,
        };
        foreach (Option option in options._actors.All)
        {
            command.Add(option);
        }

        command.Add(options._metricsListen);
        command.SetAction(parsed => run(options.Read(parsed)));
        return command;
    }

    private NodeRequest Read(ParseResult parsed)
    {
        string? listen = parsed.GetValue(_listen);
        string? join = parsed.GetValue(_join);
        string? folder = parsed.GetValue(_out);
        if (parsed.GetValue(_standby) != folder is not null)
        {
            throw new InputException("--standby and --out belong together: a process that can take the run over needs a folder for it, and no other does.");
        }

        return new NodeRequest(
            join is null ? null : NodeAddress.ParseCalled(join, "--join"),
            listen is null ? null : NodeAddress.Parse(listen, "--listen"),
            (int)(parsed.GetValue(_workers) ?? 0),
            (int)(parsed.GetValue(_threads) ?? 0),
            parsed.GetValue(_recompute),
            parsed.GetValue(_data),
            folder,
            parsed.GetValue(_tls),
            _actors.Read(parsed),
            parsed.GetValue(_metricsListen));
    }
}
