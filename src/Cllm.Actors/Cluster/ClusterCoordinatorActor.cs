using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Cluster;

/// <summary>
/// The coordinator of a cluster. It reaches workers and shards where they announced themselves from, tells all nodes who takes part, and hears of lost ones from
/// the network at once and from the membership later.
/// </summary>
internal sealed class ClusterCoordinatorActor : CoordinatorActor
{
    private const string QuorumKey = "akka.cluster.split-brain-resolver.static-quorum.quorum-size";

    private readonly CoordinatorRun _coordination;
    private readonly NodeRun _run;
    private readonly NodeSeats _nodes;
    private readonly ClusterPlaces _places;
    private readonly DirectoryTelling _directory;
    private readonly CheckpointGathering _gathering;
    private readonly MemberLosses _losses;
    private readonly RunBeginning _beginning;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);

    public ClusterCoordinatorActor(CoordinatorRun coordination, NodeRun run)
        : base(coordination)
    {
        (_coordination, _run) = (coordination, run);
        _places = new(run, coordination.Host.Restore, Self);
        _gathering = new(run, () => Machine.IsGoingBack, CopyState, Self);
        _directory = new(_places, coordination, run, Context.System.Scheduler, Self);
        _nodes = new(run.Node, Context.System.Settings.Config.GetInt(QuorumKey));
        _losses = new(_cluster, Self);
        _beginning = new(coordination, _nodes, _cluster, Self);
    }

    protected override void PreStart()
    {
        base.PreStart();
        _losses.Watch();
    }

    protected override void PostStop()
    {
        _places.Restoring.Stop();
        _gathering.Stop();
        _beginning.Stop();
        _losses.Stop();
        _directory.Stop();
        base.PostStop();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NodeLocated located:
                Locate(located);
                break;
            case NodeLeaving leaving when leaving.Node == _run.Node && IsLast:
                StopAsLast();
                break;
            case NodeJoining joining when !_beginning.IsOver || !_nodes.IsAt(joining.Node, Sender):
                break;
            case NodeJoining when Machine.Phase == CoordinatorPhase.Ended:
                // Whoever announces itself as the run ends is told how it has ended, and not that it is refused.
                Context.Parent.Forward(message);
                break;
            case SlicesHeld or SliceIsRestored or RestoreOverdue:
                FeedIf(_places.Restoring.Take(message, Sender));
                break;
            case StateDue or StateGathered:
                TakeGathered(message);
                break;
            case DirectoryDue:
                _directory.EndPause();
                break;
            case NodeReport report:
                _coordination.Inspector.Heard(report);
                break;
            case SilenceOver:
                _beginning.StrikeOff();
                break;
            case Inside:
                break;
            case ClusterEvent.UnreachableMember:
                Lose(message);
                _beginning.StrikeOffLater();
                break;
            case DisassociatedEvent or ClusterEvent.IMemberEvent:
                Lose(message);
                break;
            default:
                base.OnReceive(message);
                break;
        }

        if (Machine.IsLeaving(_run.Node) && IsLast)
        {
            // Those that could have taken the run over have gone, or are to go, since this process was let go.
            StopAsLast();
        }

        _directory.TellInTime(Machine.Fence.Epoch);
    }

    protected override NodeId? Node => _run.Node;

    protected override bool IsSuccessorThere => _nodes.IsSuccessorThere(Machine.IsLeaving);

    /// <summary>Whether the run would be gone with this process, and all that was done since the last checkpoint.</summary>
    private bool IsLast => Machine.Phase != CoordinatorPhase.Ended && !IsSuccessorThere;

    /// <summary>Nodes report with their announcements.</summary>
    protected override void Inspect()
    {
    }

    protected override void Persisted(Persist state) => _places.Change();

    /// <summary>Whoever may come to coordinate copies it.</summary>
    protected override void Checkpointed() => _directory.FindCheckpoint();

    protected override void SendToNodes(Send send)
    {
        if (send.Message is NodeDrained drained && drained.Node == _run.Node && (Machine.Phase == CoordinatorPhase.Ended || IsLast))
        {
            // The run has ended, or is about to stop, and does not go on without this process: that is what it is told.
            return;
        }

        if (send.To.Kind == DestinationKind.EveryNode)
        {
            foreach (var member in _cluster.State.Members)
            {
                NodeAt(member.Address).Tell(send.Message, Self);
            }
        }
        else if (_nodes.At(send.To.Index) is { } node)
        {
            node.Actor.Tell(send.Message, Self);
            if (send.Message is NodeAdmitted)
            {
                node.Actor.Tell(_directory.At(Machine.Fence.Epoch), Self);
            }
        }
    }

    protected override void Locate(ShardStarted started)
    {
        if (_places.Locate(started, Sender))
        {
            base.Locate(started);
        }
    }

    /// <summary>
    /// All slices are put back in this process's memory, and from there their owners fetch them. Until they have, nothing is fetched into it: who has not gone back yet
    /// has later slices to give.
    /// </summary>
    protected override Input? Restore(Restore restore)
    {
        _places.Restoring.Begin(restore.Epoch);
        return null;
    }

    protected override Input? TakeCheckpoint(TakeCheckpoint take)
    {
        // It is gathered from the owners that this process knows.
        _directory.TellNow(Machine.Fence.Epoch);
        _gathering.Begin(take);
        return null;
    }

    private void StopAsLast()
    {
        if (!_coordination.IsStopWanted)
        {
            _coordination.Note("this process coordinates the run and no other can take it over, so the run stops");
            base.OnReceive(new StopRequested());
        }
    }

    private static ActorSelection NodeAt(Address address) => Context.ActorSelection(new RootActorPath(address) / "user" / NodeActor.Name);

    private void Locate(NodeLocated located)
    {
        var known = _nodes.At(located.Node.Number);
        if (known is not null && !known.Actor.Equals(Sender))
        {
            Sender.Tell(new NodeNumberTaken(located.Node), Self);
            return;
        }

        if (known is not { IsLive: true })
        {
            var address = AddressOf(Sender);
            if (_nodes.IsSurplus(located, address))
            {
                Sender.Tell(
                    new JoinRefused(
                        located.Node, $"{_nodes.Count - 1} other processes can take the run over, as many as it was started for (`cllm train --standbys`); leave --standby out"),
                    Self);
                return;
            }

            known = _nodes.Add(located, Sender, address);
            _places.Add(new(located.Node, (new RootActorPath(address) / "user" / NodeActor.Name).ToString()!, located.Channel), Sender);
        }

        if (located.IsMember && !known.IsMember)
        {
            known.IsMember = true;
            _beginning.EndIfComplete(known, Machine.Fence.Epoch);
        }
    }

    private Address AddressOf(IActorRef actor) => actor.Path.Address is { Host: not null } address ? address : _cluster.SelfAddress;

    private void Lose(object said)
    {
        if (_losses.Of(said) is not var (address, reason))
        {
            return;
        }

        foreach (var node in _nodes.All)
        {
            if (node.IsLive && node.Address == address)
            {
                node.IsLive = false;
                Forget(node.Node);
                Feed(new NodeLost(node.Node, reason));
            }
        }
    }

    /// <summary>Nobody is sent to where nobody is; whoever lives announces himself again.</summary>
    private void Forget(NodeId node)
    {
        foreach (var worker in _coordination.WorkerAddresses.Keys)
        {
            if (NodeNumbers.NodeOf(new WorkerId(worker)) == node)
            {
                _coordination.WorkerAddresses.Remove(worker);
            }
        }

        foreach (var shard in _coordination.ShardAddresses.Keys)
        {
            if (_places.Owns(node, shard))
            {
                _coordination.ShardAddresses.Remove(shard);
            }
        }

        FeedIf(_places.Forget(node));
    }

    private void FeedIf(Input? result)
    {
        if (result is not null)
        {
            Feed(result);
        }
    }

    private void TakeGathered(object message)
    {
        if (_gathering.Take(message) is var (take, failure))
        {
            Feed(failure is null ? WriteCopy(take) : new CheckpointFailed(take.Step, failure));
        }
    }
}
