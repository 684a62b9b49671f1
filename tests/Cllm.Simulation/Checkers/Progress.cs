using Cllm.Protocol.Coordination;
using Cllm.Simulation.Cluster;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Checkers;

/// <summary>Once the faults are over, the run finishes within a bound.</summary>
internal sealed class Progress : Checker
{
    /// <summary>Times that orders are repeated, each after twice the time, while pauses and late messages of the fault phase run out.</summary>
    private const int PatienceMax = 100;

    /// <summary>Seconds between two looks at what an operator would see.</summary>
    private const int LookEvery = 16;

    public override void Tick(SimulatedCluster cluster)
    {
        if (cluster.Leader is { IsAlive: true } leader && cluster.NowTicks / Scenario.Second % LookEvery == 0)
        {
            var view = leader.Machine.View(leader.NowTicks);
            Unless(view.Wait is { Who.Length: > 0, What.Length: > 0 } || view.Phase == CoordinatorPhase.Ended, $"nobody can say what the run waits for in {view.Phase}");
            Unless(view.Leases.Length == leader.Machine.LeasesOutstanding, "leases are missing in what an operator sees");
        }

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
