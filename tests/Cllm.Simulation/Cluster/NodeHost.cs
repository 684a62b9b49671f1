using Akka.Actor;
using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Cluster;

/// <summary>What a node's actor does, in virtual time, around the program's own <see cref="NodeShards"/>.</summary>
internal sealed class NodeHost : SimulatedActor, IDisposable
{
    private readonly NodeRun _run;
    private readonly NodeShards _shards;

    public NodeHost(SimulatedCluster cluster, SimulatedNode node, Node machine)
        : base(cluster, node, machine)
    {
        Machine = machine;
        _run = node.Process!.Shared!;
        Ref = new(cluster, node, Address, this);
        _run.NodeActor = Ref;
        _shards = _run.KeepShards(Ref, start => Cluster.Start(Node, start.Shard), shard => Cluster.Stop((ShardSeat)((SimulatedRef)shard).Place));
    }

    public Node Machine { get; }

    /// <summary>How others reach it.</summary>
    public SimulatedRef Ref { get; }

    public override Destination Address => Destination.Of(Node.Id);

    public override void Take(Input message)
    {
        if (message is NodeAdmitted or CoordinatorStarted)
        {
            _run.Follow(message is NodeAdmitted admitted ? admitted.Epoch : ((CoordinatorStarted)message).Epoch);
        }

        Feed(message);
        if (IsAlive && message is NodeAdmitted)
        {
            SayWhichCopies();
        }
    }

    /// <summary>Tells something to all shards of the process.</summary>
    public void TellShards(object message) => _shards.TellAll(message);

    public void Dispose() => _shards.Dispose();

    protected override void Take(object message, IActorRef sender)
    {
        if (message is ReplicaOffered)
        {
            Cluster.AtTurn(Node);
        }

        _shards.Take(message, sender);
        if (message is Terminated { ActorRef: SimulatedRef { Place: ShardSeat seat } } && !_run.IsOwnedHere(seat.Number))
        {
            Cluster.Moves++;
        }
    }

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
                Cluster.AtTurn(Node);
                _shards.TakeOn(start);
                return null;
            case StopShard stop:
                _shards.GiveUp(stop.Shard, stop.Incarnation);
                return null;
            case NodeLeft or NodeRefused:
                Cluster.Crash(Node);
                return null;
            default:
                return null;
        }
    }

    /// <summary>A node that fails is lost with all it has.</summary>
    protected override void Fail() => Cluster.Crash(Node);

    private void SayWhichCopies()
    {
        foreach (var copy in _shards.Copies)
        {
            Cluster.SendToCoordinator(Node, copy);
        }
    }
}
