using Cllm.Actors;
using Cllm.Actors.Bootstrap;

namespace Cllm.Cli.Node;

/// <summary>What the user asked of `cllm node`.</summary>
/// <param name="Join">A node of the run; null where the actor configuration names some.</param>
/// <param name="Listen">Where others reach this process; null is an address that faces the run, with any port.</param>
/// <param name="Workers">Workers; 0 is chosen from the cores.</param>
/// <param name="ThreadsPerWorker">Threads of each; 0 is chosen from the cores.</param>
/// <param name="Recompute">Whether activations are computed again in the backward pass.</param>
/// <param name="DataPath">The run's data, or null to have its token ids sent.</param>
/// <param name="OutPath">Folder of the run if this process takes it over; null for a process that never does.</param>
/// <param name="TlsPath">Folder of the certificates; null without.</param>
/// <param name="Hocon">--hocon and --set.</param>
/// <param name="MetricsListen">--metrics-listen, or null.</param>
public sealed record NodeRequest(
    NodeAddress? Join,
    NodeAddress? Listen,
    int Workers,
    int ThreadsPerWorker,
    bool Recompute,
    string? DataPath,
    string? OutPath,
    string? TlsPath,
    HoconLayers Hocon,
    string? MetricsListen)
{
    /// <summary>Whether this process can take over the run's coordinator.</summary>
    public bool IsStandby => OutPath is not null;
}
