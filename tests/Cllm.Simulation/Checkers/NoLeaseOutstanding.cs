using Cllm.Simulation.Cluster;

namespace Cllm.Simulation.Checkers;

/// <summary>When a run has finished nobody waits for anything, and every gradient buffer is free.</summary>
internal sealed class NoLeaseOutstanding : Checker
{
    public override void AtEnd(SimulatedCluster cluster)
    {
        Unless(cluster.Leader!.Machine.LeasesOutstanding == 0, "the coordinator waits for an answer");
        foreach (var seat in cluster.Workers)
        {
            // Who is still cut off has not heard of the end, and will be told to stop.
            if (seat.Actor is { Node.IsEvicted: false } worker && worker.Node.Known == cluster.Leader && cluster.Leader.Knows(seat.Number))
            {
                Unless(worker.Machine.Waiting == 0, $"worker {seat.Number} has a lease");
                Unless(worker.BuffersHeld == 0, $"worker {seat.Number} holds {worker.BuffersHeld} buffers");
            }
        }
    }
}
