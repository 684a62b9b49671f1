using Akka.Actor;
using Akka.Event;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Workers;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Speaks for this process: runs the <see cref="Node"/>, is the parent of its workers and shards, passes on what they say to the coordinator, and has slices
/// fetched. It does no arithmetic and never waits.
/// </summary>
internal sealed class NodeActor : UntypedActor, IEffectPerformer
{
    /// <summary>Its name under /user, the same at every node.</summary>
    public const string Name = "cllm";

    private const string Dispatcher = "cllm.dispatcher";

    private readonly NodeRun _run;
    private readonly ITrainingObserver _observer;
    private readonly IActorRef _anyCoordinator;
    private readonly TaskCompletionSource<TrainingEnd> _end;
    private readonly MachineRunner _runner;
    private readonly IScheduler _clock = Context.System.Scheduler;
    private readonly SliceFetches _slices;
    private readonly NoteLimit _limit = new();
    private readonly Dictionary<IActorRef, WorkerId> _workers = [];
    private readonly IActorRef?[] _shards;

    /// <summary>Shards that were given to this node and start as soon as nothing is in their way.</summary>
    private readonly Dictionary<int, StartShard> _starting = [];

    /// <summary>The coordinator that admitted this node; whichever there is, before that.</summary>
    private IActorRef _coordinator;
    private ICancelable? _deadline;
    private bool _isStarted;

    /// <param name="run">The process.</param>
    /// <param name="observer">Hears what goes wrong here before there is a coordinator to tell.</param>
    /// <param name="coordinator">Reaches whichever coordinator there is.</param>
    /// <param name="end">Completed when the process takes part no longer.</param>
    public NodeActor(NodeRun run, ITrainingObserver observer, IActorRef coordinator, TaskCompletionSource<TrainingEnd> end)
    {
        (_run, _observer, _anyCoordinator, _coordinator, _end) = (run, observer, coordinator, coordinator, end);
        run.NodeActor = Self;
        _runner = new(new Node(new NodeSettings { Node = run.Node, Run = run.Settings.Run }.Limit(run.Settings.Hocon)), this);
        _slices = run.FetchSlices(Self);
        _shards = new IActorRef?[run.Shards.Length];
    }

    public long NowTicks => _clock.HighResMonotonicClock.Ticks;

    public Input? Perform(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Announce(send.Message);
                return null;
            case Note note:
                _observer.Note($"this node {note.Reason}");
                return null;
            case DeadlineSet deadline:
                SetDeadline(deadline);
                return null;
            case AnnounceMembers announce:
                AnnounceMembers(announce.Epoch);
                return null;
            case StartShard start:
                TakeOn(start);
                return null;
            case StopShard stop:
                GiveUp(stop.Shard.Number, stop.Incarnation);
                return null;
            case NodeLeft:
                _end.TrySetResult(new(0, Protocol.Coordination.RunOutcome.Stopped, "this process has left the run, which goes on without it") { HasLeft = true });
                return null;
            case NodeRefused refused:
                _end.TrySetResult(new(0, Protocol.Coordination.RunOutcome.Failed, refused.Reason) { IsRefused = true });
                return null;
            default:
                throw Invariant.Broken($"a node's host performs no {effect.GetType().Name}");
        }
    }

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(Warning));
        Context.System.EventStream.Subscribe(Self, typeof(Error));
        _runner.Feed(new MachineStarted());
    }

    protected override void PostStop()
    {
        _deadline?.Cancel();
        _slices.Dispose();
    }

    /// <summary>A node that fails is lost with all it has: the run goes on without this process, which ends.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
        End(Protocol.Coordination.RunOutcome.Failed, 0, $"this process failed: {reason.Message}");
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason) => Context.Stop(Self);

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        maxNrOfRetries: -1, withinTimeMilliseconds: -1, localOnlyDecider: static _ => Directive.Restart, loggingEnabled: false);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NodeAdmitted admitted:
                Follow(admitted.Epoch);
                _runner.Feed(admitted);
                SayWhichCopies();
                break;
            case CoordinatorStarted started:
                Follow(started.Epoch);
                _runner.Feed(started);
                break;
            case JoinRefused or ShardAssigned or ShardMoved or NodeDrained or Own:
                _runner.Feed(Own.InputIn(message)!);
                break;
            case ClusterDirectory directory:
                Take(directory);
                break;
            case NodeNumberTaken taken when !_isStarted:
                _end.TrySetResult(
                    new(0, Protocol.Coordination.RunOutcome.Failed, $"another node has drawn number {taken.Node} as well") { MayJoinAgain = true });
                break;
            case RunIsOver over:
                End(over.Outcome, over.Step.Number, over.Reason);
                break;
            case StopRequested:
                _anyCoordinator.Tell(message, Self);
                break;
            case Terminated gone:
                Take(gone.ActorRef);
                break;
            case ReplicaOffered offer:
                Take(offer, Sender);
                break;
            case LogEvent log when IsOfRemoting(log):
                // That a connection broke or is refused is known already, and told in the run's own words.
                break;
            case LogEvent log:
                if (_limit.Pass(NoteLimit.FirstLine(log.Message), NowTicks) is { } sentence)
                {
                    _observer.Note($"Akka.NET: {sentence}");
                }

                break;
            case Inside inside:
                Take(inside);
                break;
            case IMessage or Noted:
                _coordinator.Forward(message);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Take(Inside message)
    {
        switch (message)
        {
            case LeaveWanted:
                _runner.Feed(new LeaveRequested());
                break;
            case SliceFetchEnded ended:
                _slices.Take(ended);
                StartWhatCan();
                _slices.SayIfHeld();
                break;
            default:
                if (!_slices.Take(message, Sender))
                {
                    Unhandled(message);
                }

                break;
        }
    }

    private static bool IsOfRemoting(LogEvent log) =>
        log.LogClass.Namespace?.StartsWith("Akka.Remote", StringComparison.Ordinal) == true
        || log.LogSource.Contains("endpoint", StringComparison.OrdinalIgnoreCase)
        || log.LogSource.Contains("remot", StringComparison.OrdinalIgnoreCase);

    private void Follow(Epoch epoch)
    {
        if (epoch.Number >= _run.NewestEpoch.Number)
        {
            _coordinator = Sender;
            _run.Follow(epoch);
        }
    }

    private void SetDeadline(DeadlineSet deadline)
    {
        var delay = TimeSpan.FromTicks(Math.Max(0, deadline.AtTicks - NowTicks));
        _deadline?.Cancel();
        _deadline = _clock.ScheduleTellOnceCancelable(delay, Self, new Own(new DeadlinePassed()), Self);
    }

    private void AnnounceMembers(Epoch epoch)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            for (var i = 0; i < _run.Workers.Length; i++)
            {
                var (run, self, worker) = (_run, Self, new WorkerId(_run.FirstWorker + i));
                var actor = Context.ActorOf(Props.Create(() => new WorkerActor(run, self, worker)).WithDispatcher(Dispatcher), $"worker-{i}");
                _workers.Add(Context.Watch(actor), worker);
            }
        }

        var started = new CoordinatorStarted(epoch);
        foreach (var member in _workers.Keys.Concat(_shards.OfType<IActorRef>()))
        {
            member.Tell(started, Self);
        }
    }

    private void TakeOn(StartShard start)
    {
        var shard = start.Shard.Number;
        var newest = _starting.TryGetValue(shard, out var other) ? other.Incarnation.Number : _shards[shard] is null ? 0 : _run.Shards[shard].Incarnation;
        if (start.Incarnation.Number > newest)
        {
            _starting[shard] = start;
            StartWhatCan();
        }
    }

    /// <summary>
    /// Starts shards that nothing is in the way of: no actor under an earlier incarnation, and no fetch that writes to the slice.
    /// </summary>
    private void StartWhatCan()
    {
        foreach (var (shard, start) in _starting)
        {
            if (_shards[shard] is { } old)
            {
                Context.Stop(old);
                continue;
            }

            _run.OwnHere(shard);
            if (!_slices.IsStill(shard))
            {
                continue;
            }

            _starting.Remove(shard);
            _run.Shards[shard].Incarnation = start.Incarnation.Number - 1;
            _run.ChooseSlice(shard);
            var (run, self, index) = (_run, Self, new ShardIndex(shard));
            _shards[shard] = Context.Watch(Context.ActorOf(
                Props.Create(() => new ShardActor(run, self, index)).WithDispatcher(Dispatcher), $"shard-{shard}-{start.Incarnation.Number}"));
            _shards[shard]!.Tell(new Own(new MachineStarted()), Self);
        }
    }

    /// <summary>Another node owns a shard: what is here of it is not looked after any more.</summary>
    private void GiveUp(int shard, Incarnation elsewhere)
    {
        if (_shards[shard] is { } actor && _run.Shards[shard].Incarnation < elsewhere.Number && !_starting.ContainsKey(shard))
        {
            Context.Stop(actor);
        }
    }

    private void SayWhichCopies()
    {
        for (var shard = 0; shard < _shards.Length; shard++)
        {
            if (_slices.CopyOf(shard) is { } step)
            {
                _coordinator.Tell(new ReplicaHeld(new(shard), step, _run.Node), Self);
            }
        }
    }

    private void Take(ReplicaOffered offer, IActorRef owner) =>
        _slices.Copy(offer, failure => owner.Tell(new ReplicaFetched(offer.Shard, offer.Step, failure), Self));

    private void Announce(Input message)
    {
        if (message is NodeJoining)
        {
            var channel = _run.Channel.Address;
            _anyCoordinator.Tell(new NodeLocated(_run.Node, channel), Self);
            _anyCoordinator.Tell(_run.Counters.Report(_run.Node, $"{channel.Host}:{channel.Port}", _run.Settings.Traffic), Self);
        }

        _anyCoordinator.Tell(message, Self);
    }

    private void Take(ClusterDirectory directory)
    {
        var known = _run.Directory;
        if (directory.Epoch.Number >= known.Epoch.Number)
        {
            // Also of one that is known: it makes up for a copy that broke off.
            _run.Follower?.Follow(directory.Checkpoint);
        }

        if (directory.Epoch.Number < known.Epoch.Number || (directory.Epoch == known.Epoch && directory.Version <= known.Version))
        {
            return;
        }

        _run.Directory = directory;
        _run.Follow(directory.Epoch);
        for (var shard = 0; shard < _shards.Length; shard++)
        {
            if (_shards[shard] is { } actor)
            {
                actor.Tell(new DirectoryChanged(), Self);
                if (directory.Owners[shard] is { Node: { } owner } place && owner != _run.Node)
                {
                    // Given to another node while this one was taken for lost.
                    GiveUp(shard, place.Incarnation);
                }
            }
        }

        _slices.AdvanceAll();
    }

    private void Take(IActorRef gone)
    {
        if (_workers.Remove(gone))
        {
            return;
        }

        var shard = Array.IndexOf(_shards, gone);
        if (shard >= 0)
        {
            _shards[shard] = null;
            if (!_starting.ContainsKey(shard))
            {
                _run.GiveAway(shard);
            }

            StartWhatCan();
            _slices.AdvanceAll();
        }
    }

    private void End(Protocol.Coordination.RunOutcome outcome, long step, string reason) => _end.TrySetResult(new(step, outcome, reason));
}
