using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;
using Cllm.Simulation.Cluster;

namespace Cllm.Simulation.Checkers;

/// <summary>A node that is told it may go has no shard whose slice counts.</summary>
internal sealed class NothingLeftBehind : Checker
{
    public override void Sent(CoordinatorHost coordinator, Input message)
    {
        if (message is NodeDrained drained && coordinator.IsLeader && coordinator.Machine.Phase != CoordinatorPhase.Ended)
        {
            Unless(!coordinator.Owns(drained.Node), $"node {drained.Node} may go and owns a shard");
        }
    }
}
