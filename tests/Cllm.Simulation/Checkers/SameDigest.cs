using Cllm.Protocol.Coordination;
using Cllm.Simulation.Cluster;

namespace Cllm.Simulation.Checkers;

/// <summary>After every step, and at the end, the state is that of the run without faults.</summary>
internal sealed class SameDigest(ulong[] expected) : Checker
{
    public override void Reported(StepReported report, ulong? digest) =>
        Unless(digest is null || digest == expected[report.Step.Number + 1], $"after step {report.Step} the state is not that of the run without faults");

    public override void AtEnd(SimulatedCluster cluster) =>
        Unless(cluster.FinalDigest == expected[^1], "the final state is not that of the run without faults");
}
