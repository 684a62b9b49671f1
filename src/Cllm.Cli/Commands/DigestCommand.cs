using System.CommandLine;
using Cllm.Cli.Display;
using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Numerics.Memory;

namespace Cllm.Cli.Commands;

/// <summary>`cllm digest`: SHA-256 of weights, and of the optimizer's state where there is one, one line each.</summary>
public static class DigestCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("DIR")
        {
            Description = "A finished model, a run (its newest checkpoint unless it is finished), or one checkpoint.",
        };
        var command = new Command(
            "digest", "Show the SHA-256 of a model's weights, and of the optimizer's state where there is one.") { folder };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(folder), terminal));
        return command;
    }

    private static int Run(string folder, Terminal terminal)
    {
        using TrainedModel model = TrainedModel.Load(folder);
        terminal.Say($"weights {Digest.Weights(model.Layout, model.Weights.Span)}");
        if (File.Exists(Path.Combine(model.Origin, CheckpointFolder.StateName)))
        {
            CheckpointState state = CheckpointFolder.ReadState(DiskFileStore.Instance, model.Origin);
            using var first = new AlignedBuffer(model.Layout.Length);
            using var second = new AlignedBuffer(model.Layout.Length);
            CheckpointFolder.Load(DiskFileStore.Instance, model.Origin, state, model.Layout, model.Weights.Span, first.Span, second.Span);
            terminal.Say($"optimizer {Digest.Optimizer(model.Layout, first.Span, second.Span)}");
        }

        return ExitCode.Success;
    }
}
