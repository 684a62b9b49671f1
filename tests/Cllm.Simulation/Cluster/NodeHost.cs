using Akka.Actor;
using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Cluster;

/// <summary>What a node's actor does, in virtual time, around the program's own <see cref="SliceFetches"/>.</summary>
internal sealed class NodeHost : SimulatedActor, IDisposable
{
    private readonly NodeRun _run;
    private readonly SliceFetches _slices;

    /// <summary>Shards that were given to this node and start as soon as nothing is in their way.</summary>
    private readonly SortedDictionary<int, StartShard> _starting = [];

    public NodeHost(SimulatedCluster cluster, SimulatedNode node, Node machine)
        : base(cluster, node, machine)
    {
        Machine = machine;
        _run = node.Process!.Shared!;
        Ref = new(cluster, node, Address, this);
        _run.NodeActor = Ref;
        _slices = _run.FetchSlices(Ref);
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

    /// <summary>A shard's actor is no more.</summary>
    public void Gone(int shard)
    {
        if (!_starting.ContainsKey(shard))
        {
            _run.GiveAway(shard);
        }

        _slices.AdvanceAll();
    }

    public void Dispose() => _slices.Dispose();

    protected override void Take(object message, IActorRef sender)
    {
        switch (message)
        {
            case SliceFetchEnded ended:
                _slices.Take(ended);
                StartWhatCan();
                _slices.SayIfHeld();
                break;
            case ReplicaOffered offer:
                Cluster.AtTurn(Node);
                _slices.Copy(offer, failure => sender.Tell(new ReplicaFetched(offer.Shard, offer.Step, failure), Ref));
                break;
            case ClusterDirectory directory:
                Take(directory);
                break;
            default:
                _slices.Take(message, sender);
                break;
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
                TakeOn(start);
                return null;
            case StopShard stop:
                GiveUp(stop.Shard.Number, stop.Incarnation);
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

    private void TakeOn(StartShard start)
    {
        var shard = start.Shard.Number;
        var newest = _starting.TryGetValue(shard, out var other) ? other.Incarnation.Number
            : Node.Shards.TryGetValue(shard, out var seat) ? seat.Incarnation : 0;
        if (start.Incarnation.Number > newest)
        {
            _starting[shard] = start;
            Cluster.AtTurn(Node);
            StartWhatCan();
        }
    }

    private void StartWhatCan()
    {
        foreach (var (shard, start) in _starting.ToArray())
        {
            if (!IsAlive)
            {
                return;
            }

            if (Node.Shards.Remove(shard, out var old))
            {
                Cluster.Kill(old);
            }

            _run.OwnHere(shard);
            if (!_slices.IsStill(shard))
            {
                continue;
            }

            _starting.Remove(shard);
            _run.Shards[shard].Incarnation = start.Incarnation.Number - 1;
            _run.ChooseSlice(shard);
            Cluster.Start(Node.Shards[shard] = new(shard, Node));
        }
    }

    /// <summary>Another node owns a shard: what is here of it is not looked after any more.</summary>
    private void GiveUp(int shard, Incarnation elsewhere)
    {
        if (Node.Shards.TryGetValue(shard, out var seat) && seat.Incarnation < elsewhere.Number && !_starting.ContainsKey(shard))
        {
            Cluster.Disown(seat);
            Gone(shard);
        }
    }

    private void SayWhichCopies()
    {
        for (var shard = 0; shard < Cluster.ShardCount; shard++)
        {
            if (_slices.CopyOf(shard) is { } step)
            {
                Cluster.SendToCoordinator(Node, new ReplicaHeld(new(shard), step, Node.Id));
            }
        }
    }

    private void Take(ClusterDirectory directory)
    {
        var known = _run.Directory;
        if (directory.Epoch.Number < known.Epoch.Number || (directory.Epoch == known.Epoch && directory.Version <= known.Version))
        {
            return;
        }

        _run.Directory = directory;
        _run.Follow(directory.Epoch);
        foreach (var (shard, seat) in Node.Shards.ToArray())
        {
            seat.Actor?.Take(new Told(new DirectoryChanged(), Ref));
            if (directory.Owners[shard] is { Node: { } owner } place && owner != Node.Id)
            {
                // Given to another node while this one was taken for lost.
                GiveUp(shard, place.Incarnation);
            }
        }

        if (IsAlive)
        {
            _slices.AdvanceAll();
        }
    }
}
