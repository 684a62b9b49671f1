using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
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
    /// <summary>With more nodes than this, changes of the directory are told together: while hundreds join, all of it to all of them each time would be gigabytes.</summary>
    private const int NodesToldAtOnceMax = 32;

    private const string QuorumKey = "akka.cluster.split-brain-resolver.static-quorum.quorum-size";

    /// <summary>Between two looks at the heartbeats of a member that somebody else cannot reach.</summary>
    private static readonly TimeSpan HeartbeatPause = TimeSpan.FromSeconds(1);

    /// <summary>Between two directories of many nodes.</summary>
    private static readonly TimeSpan DirectoryPause = TimeSpan.FromMilliseconds(200);

    private readonly CoordinatorRun _coordination;
    private readonly NodeRun _run;
    private readonly NodeSeats _nodes;
    private readonly ClusterPlaces _places;
    private readonly CheckpointGathering _gathering;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private CheckpointPlace? _checkpoint;
    private ICancelable? _heartbeats;

    /// <summary>Until when those that are not reached may be silent before the run has begun; none while all are reached.</summary>
    private ICancelable? _silence;

    /// <summary>Until when the directory is not told again; none when it may be.</summary>
    private ICancelable? _pause;

    public ClusterCoordinatorActor(CoordinatorRun coordination, NodeRun run)
        : base(coordination)
    {
        (_coordination, _run) = (coordination, run);
        _places = new(run, coordination.Host.Restore, Self);
        _gathering = new(run, () => Machine.IsGoingBack, CopyState, Self);
        _checkpoint = FindCheckpoint();
        _nodes = new(run.Node, Context.System.Settings.Config.GetInt(QuorumKey));
        coordination.MayBegin |= coordination.Settings.IsSuccessor || _nodes.Count <= 1;
    }

    protected override void PreStart()
    {
        base.PreStart();
        Context.System.EventStream.Subscribe(Self, typeof(DisassociatedEvent));
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.UnreachableMember), typeof(ClusterEvent.MemberDowned), typeof(ClusterEvent.MemberExited), typeof(ClusterEvent.MemberRemoved));
    }

    protected override void PostStop()
    {
        _places.Restoring.Stop();
        _gathering.Stop();
        _silence?.Cancel();
        _heartbeats?.Cancel();
        _pause?.Cancel();
        _cluster.Unsubscribe(Self);
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
            case NodeJoining joining when !_coordination.MayBegin || !_nodes.IsAt(joining.Node, Sender):
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
                _pause = null;
                break;
            case NodeReport report:
                _coordination.Inspector.Heard(report);
                break;
            case Inside:
                break;
            case DisassociatedEvent gone:
                Lose(gone.RemoteAddress, "its connection is closed");
                break;
            case ClusterEvent.UnreachableMember gone:
                LoseIfUnheard(gone);
                LookAgainBeforeBegin();
                break;
            case SilenceOver:
                StrikeOffBeforeBegin();
                break;
            case ClusterEvent.IMemberEvent gone:
                Lose(gone.Member.Address, $"the membership says that it is {gone.Member.Status}");
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

        if (_places.IsChanged && _pause is null)
        {
            TellDirectory();
        }
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
    protected override void Checkpointed()
    {
        _checkpoint = FindCheckpoint();
        _places.Change();
    }

    protected override void SendToNodes(Send send)
    {
        if (send.Message is NodeDrained drained && drained.Node == _run.Node && (Machine.Phase == CoordinatorPhase.Ended || IsLast))
        {
            // The run has ended, or is about to stop, and does not go on without this process: that is what it is told.
        }
        else if (send.To.Kind == DestinationKind.EveryNode)
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
                node.Actor.Tell(_places.Directory(Machine.Fence.Epoch, _checkpoint), Self);
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
        if (_places.IsChanged)
        {
            // It is gathered from the owners that this process knows.
            TellDirectory();
        }

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
            BeginIfComplete(known);
        }
    }

    private void BeginIfComplete(NodeSeat newcomer)
    {
        if (_coordination.MayBegin || !newcomer.MayCoordinate)
        {
            return;
        }

        var missing = _nodes.Missing;
        _coordination.MayBegin = missing <= 0;
        if (missing > 0)
        {
            _coordination.Note(
                $"the run begins when all {_nodes.Count} processes that may coordinate it are there; {missing} {(missing == 1 ? "is" : "are")} missing (`cllm node --standby`)");
            return;
        }

        foreach (var seat in _nodes.All)
        {
            // Nodes announce themselves again, and from now on are heard.
            seat.Actor.Tell(new CoordinatorStarted(Machine.Fence.Epoch), Self);
        }
    }

    /// <summary>
    /// As long as the quorum is not complete, it decides against this process whenever another one is not reached; so until then this one, which begins the run and which
    /// nobody else can have succeeded, decides first. Who is struck off joins again.
    /// </summary>
    private void LookAgainBeforeBegin()
    {
        if (!_coordination.MayBegin && _silence is null)
        {
            var stable = Context.System.Settings.Config.GetTimeSpan("akka.cluster.split-brain-resolver.stable-after");
            _silence = Context.System.Scheduler.ScheduleTellOnceCancelable(stable / 2, Self, new SilenceOver(), Self);
        }
    }

    private void StrikeOffBeforeBegin()
    {
        _silence = null;
        foreach (var member in _coordination.MayBegin ? [] : _cluster.State.Unreachable)
        {
            _cluster.Down(member.Address);
            _coordination.Note($"the process at {member.Address} is struck off before the run begins, for it is not reached");
        }
    }

    private Address AddressOf(IActorRef actor) => actor.Path.Address is { Host: not null } address ? address : _cluster.SelfAddress;

    /// <summary>
    /// Whose heartbeats come here is not lost: who cannot reach it may be one whose own link was cut and who is heard again. The membership says it once, whoever
    /// finds it out, so it is looked at again for as long as somebody cannot.
    /// </summary>
    private void LoseIfUnheard(ClusterEvent.UnreachableMember gone)
    {
        var detector = _cluster.FailureDetector;
        if (!detector.IsMonitoring(gone.Member.Address) || !detector.IsAvailable(gone.Member.Address))
        {
            Lose(gone.Member.Address, "the membership cannot reach it");
        }
        else if (_cluster.State.Unreachable.Contains(gone.Member))
        {
            _heartbeats = Context.System.Scheduler.ScheduleTellOnceCancelable(HeartbeatPause, Self, gone, Self);
        }
    }

    private void Lose(Address address, string reason)
    {
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

    private CheckpointPlace? FindCheckpoint() => _run.Host.Checkpoints.StateOf(_coordination.CheckpointedSteps) is { } state
        ? new(new(_coordination.CheckpointedSteps), _run.Channel.Address, state)
        : null;

    private void TellDirectory()
    {
        _places.TellAll(Machine.Fence.Epoch, _checkpoint);
        if (_places.Nodes > NodesToldAtOnceMax)
        {
            _pause = Context.System.Scheduler.ScheduleTellOnceCancelable(DirectoryPause, Self, new DirectoryDue(), Self);
        }
    }

    private void TakeGathered(object message)
    {
        if (_gathering.Take(message) is var (take, failure))
        {
            Feed(failure is null ? WriteCopy(take) : new CheckpointFailed(take.Step, failure));
        }
    }

    /// <summary>Time to look again at who could not be reached before the run had begun.</summary>
    private sealed record SilenceOver : INoSerializationVerificationNeeded;
}
