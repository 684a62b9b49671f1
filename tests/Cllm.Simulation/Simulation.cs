using Cllm.Simulation.Cluster;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation;

/// <summary>What came of one seed.</summary>
/// <param name="Violation">What was broken; none when nothing was.</param>
/// <param name="TraceHash">Fingerprint of all that happened.</param>
/// <param name="Ticks">Virtual time that passed.</param>
/// <param name="Counts">Faults that happened, by kind.</param>
/// <param name="Events">Events that happened.</param>
/// <param name="Restores">How often the state was brought back to a checkpoint.</param>
/// <param name="Coordinators">Coordinators that began.</param>
/// <param name="Moves">Shards that their owners gave to other nodes.</param>
internal sealed record Outcome(
    string? Violation, ulong TraceHash, long Ticks, IReadOnlyList<long> Counts, long Events, long Restores, long Coordinators, long Moves);

/// <summary>Runs one seed.</summary>
internal static class Simulation
{
    /// <summary>Runs a scenario to its end or to the first violation.</summary>
    public static Outcome Run(Scenario scenario, Action<string>? trace = null)
    {
        using var cluster = new SimulatedCluster(scenario, trace);
        string? violation = null;
        try
        {
            cluster.Run();
        }
        catch (SimulationViolation broken)
        {
            violation = broken.Message;
        }
        catch (Exception fault) when (fault is InvalidOperationException or IndexOutOfRangeException or NullReferenceException or KeyNotFoundException)
        {
            violation = trace is null ? $"{fault.GetType().Name}: {fault.Message}" : fault.ToString();
        }

        return new(violation, cluster.TraceHash, cluster.NowTicks, cluster.Counts, cluster.Events, cluster.Restores, cluster.Coordinators, cluster.Moves);
    }
}
