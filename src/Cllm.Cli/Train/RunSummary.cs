using Cllm.Cli.Commands;
using Cllm.Cli.Display;

namespace Cllm.Cli.Train;

/// <summary>What a finished run has come to.</summary>
public sealed record RunSummary
{
    /// <summary>How the user calls the program.</summary>
    private static readonly string Program = Environment.GetEnvironmentVariable("CLLM_NAME") is { Length: > 0 } name ? name : "cllm";

    /// <summary>The run's folder.</summary>
    public required string Path { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Loss of the last step, or null when this part did none.</summary>
    public double? Loss { get; init; }

    /// <summary>What the model makes of the held-out part; null when nothing is held out.</summary>
    public HeldOutLoss? HeldOut { get; init; }

    /// <summary>Time of this part's steps.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Tokens trained on per second of that time.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Number of parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>SHA-256 of the weights.</summary>
    public required string Digest { get; init; }

    /// <summary>The table's rows.</summary>
    public IReadOnlyList<(string Name, string Value)> Rows()
    {
        var rows = new List<(string, string)> { ("steps", $"{Steps}") };
        if (Loss is { } loss)
        {
            rows.Add(("loss of the last step", Format.Loss(loss)));
        }

        if (HeldOut is { } heldOut)
        {
            rows.Add(("validation loss", Format.Loss(heldOut.Loss)));
            rows.Add(("perplexity", heldOut.Perplexity.ToString("F2")));
            if (heldOut.BitsPerByte is { } bits)
            {
                rows.Add(("bits per byte", bits.ToString("F4")));
            }
        }

        if (Loss is not null)
        {
            rows.Add(("time", Format.Duration(Time)));
            rows.Add(("tokens per second", Format.Count(TokensPerSecond)));
        }

        rows.Add(("parameters", Format.Count(Parameters)));
        rows.Add(("digest of the weights", Digest));
        rows.Add(("model", Path));
        return rows;
    }

    /// <summary>The command that lets the model write.</summary>
    public string GenerateLine => $"{Program} generate --model {Format.Shell(Path)}";

    /// <summary>The command that goes on with the run in that folder.</summary>
    public static string ResumeLine(string path) => $"{Program} train --resume --out {Format.Shell(path)}";

    /// <summary>What a run that was stopped after so many of its steps has come to, in one sentence.</summary>
    public static string StoppedLine(string path, long done, long steps) => done == 0
        ? $"Stopped before the first step was done; begin again with `{ResumeLine(path)}`."
        : $"Stopped after step {done} of {steps}, with a checkpoint; go on with `{ResumeLine(path)}`.";
}
