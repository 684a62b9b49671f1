using Cllm.Simulation.Cluster;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Checkers;

/// <summary>Once the faults are over, the run finishes within a bound.</summary>
internal sealed class Progress : Checker
{
    /// <summary>Times that orders are repeated, each after twice the time, while pauses and late messages of the fault phase run out.</summary>
    private const int PatienceMax = 100;

    public override void Tick(SimulatedCluster cluster)
    {
        if (cluster.HealedAtTicks is not { } healed || cluster.IsFinished)
        {
            return;
        }

        var scenario = cluster.Scenario;
        var stepTicks = (scenario.Leaves * scenario.LeafTicks) + (scenario.EvaluationUnits * scenario.LeafTicks) + (2 * Scenario.Second);
        var bound = (PatienceMax * scenario.PatienceTicks) + (2 * scenario.Steps * stepTicks) + (600 * Scenario.Second);
        Unless(cluster.NowTicks - healed <= bound,
            $"{bound / Scenario.Second} s after the faults ended the run still stands at step {cluster.Leader?.Machine.Fence.Step}, {cluster.Leader?.Machine.Phase}");
    }
}
