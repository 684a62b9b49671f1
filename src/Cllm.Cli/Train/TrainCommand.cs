using System.CommandLine;
using Cllm.Cli.Node;
using Cllm.Cli.Parsing;

namespace Cllm.Cli.Train;

/// <summary>`cllm train`: its options, and from them a request.</summary>
public sealed class TrainCommand
{
    private readonly Option<string?> _data = Values.Text(
        "--data", "PATH", "A .txt file, a folder of them, or a .bin file of uint16 token ids. [default: built-in stories]");

    private readonly Option<string?> _preset = Values.Word(
        "--preset", "Values for all settings below; options given beside it win.", [.. Preset.Names]);

    private readonly Option<string?> _init = Values.Text(
        "--init", "DIR", "Start from model.safetensors and config.json of a Hugging Face GPT-2 folder, or of a finished run.");

    private readonly Option<string?> _out = Values.Text("--out", "DIR", "The run's folder. [default: runs/<name>]");

    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Go on with the run in --out (or the newest under runs/) from its newest checkpoint.",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<string?> _metricsListen = Values.Text(
        "--metrics-listen", "HOST:PORT", "Serve /metrics, /healthz and /status for Prometheus, `cllm status` and `cllm workers`. [default: off; 127.0.0.1:9115 beside --listen]");

    private readonly TrainSettings _settings = new();
    private readonly ClusterOptions _cluster = new();
    private readonly ActorOptions _actors = new();

    private TrainCommand() { }

    /// <summary>The command for the parser.</summary>
    /// <param name="run">Carries a request out and returns the exit code.</param>
    public static Command Create(Func<TrainRequest, int> run)
    {
        var options = new TrainCommand();
        var command = new Command("train", "Train a model on text, from nothing or from given weights.")
        {
            options._data, options._preset, options._out, options._resume, options._init,
        };
        foreach (Setting setting in options._settings.All)
        {
            command.Add(setting.Option);
        }

        foreach (Option option in options._cluster.All.Concat(options._actors.All))
        {
            command.Add(option);
        }

        command.Add(options._metricsListen);
        command.SetAction(parsed => run(options.Read(parsed)));
        return command;
    }

    private TrainRequest Read(ParseResult parsed) => new(
        _settings,
        parsed,
        parsed.GetValue(_preset),
        parsed.GetValue(_data),
        parsed.GetValue(_init),
        parsed.GetValue(_out),
        parsed.GetValue(_resume),
        _actors.Read(parsed),
        _cluster.Read(parsed))
    {
        MetricsListen = parsed.GetValue(_metricsListen),
    };
}
