using System.CommandLine;
using Cllm.Actors;
using Cllm.Cli.Node;

namespace Cllm.Cli.Train;

/// <summary>What the user asked of `cllm train`, before any file was looked at.</summary>
/// <param name="Settings">The settings, to make a plan from.</param>
/// <param name="Parsed">Their values.</param>
/// <param name="Preset">--preset, or null.</param>
/// <param name="DataPath">--data, or null for the built-in corpus.</param>
/// <param name="InitPath">--init, or null for weights drawn from the seed.</param>
/// <param name="OutPath">--out, or null for a folder under runs/.</param>
/// <param name="Resume">Whether to go on with a run.</param>
/// <param name="Hocon">--hocon and --set.</param>
/// <param name="Cluster">How others can join; null when nobody can.</param>
public sealed record TrainRequest(
    TrainSettings Settings,
    ParseResult Parsed,
    string? Preset,
    string? DataPath,
    string? InitPath,
    string? OutPath,
    bool Resume,
    HoconLayers Hocon,
    ClusterRequest? Cluster)
{
    /// <summary>--metrics-listen, or null.</summary>
    public string? MetricsListen { get; init; }

    /// <summary>Whether the user gave the setting of that name.</summary>
    public bool Gave(string setting) => Settings.IsGiven(setting, Parsed);
}
