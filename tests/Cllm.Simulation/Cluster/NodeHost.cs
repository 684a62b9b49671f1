using Cllm.Protocol;
using Cllm.Protocol.Nodes;
using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Cluster;

/// <summary>What a node's actor does, in virtual time.</summary>
internal sealed class NodeHost(SimulatedCluster cluster, SimulatedNode node, Node machine) : SimulatedActor(cluster, node, machine)
{
    public Node Machine => machine;

    public override Destination Address => Destination.Of(Node.Id);

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Cluster.SendToCoordinator(Node, send.Message);
                return null;
            case DeadlineSet deadline:
                SetDeadline(deadline);
                return null;
            case AnnounceMembers announce:
                SimulationViolation.Unless(Node.IsStranger is false, "admission", $"node {Node.Id} takes part with another configuration");
                Cluster.AnnounceMembers(Node, announce.Epoch);
                return null;
            case StartShard start:
                Cluster.Own(Node, start);
                return null;
            case StopShard stop:
                Cluster.Disown(Node, stop);
                return null;
            case NodeLeft or NodeRefused:
                Cluster.Crash(Node);
                return null;
            default:
                return null;
        }
    }
}
