using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Cllm.Actors.Local;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Workers;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Speaks for this process: runs the <see cref="Node"/>, is the parent of its workers and shards, and passes on what they say to the coordinator.
/// It does no arithmetic and never waits.
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
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly NodeShards _shards;
    private readonly NoteLimit _limit = new();
    private readonly HashSet<IActorRef> _workers = [];

    /// <summary>The coordinator that admitted this node; whichever there is, before that.</summary>
    private IActorRef _coordinator;
    private ICancelable? _deadline;
    private bool _isStarted;

    /// <summary>Whether this process counts in the membership: the first step may wait for that, so it is said at once.</summary>
    private bool _isMember;

    /// <param name="run">The process.</param>
    /// <param name="observer">Hears what goes wrong here before there is a coordinator to tell.</param>
    /// <param name="coordinator">Reaches whichever coordinator there is.</param>
    /// <param name="end">Completed when the process takes part no longer.</param>
    public NodeActor(NodeRun run, ITrainingObserver observer, IActorRef coordinator, TaskCompletionSource<TrainingEnd> end)
    {
        (_run, _observer, _anyCoordinator, _coordinator, _end) = (run, observer, coordinator, coordinator, end);
        run.NodeActor = Self;
        _runner = new(new Node(new NodeSettings { Node = run.Node, Run = run.Settings.Run }.Limit(run.Settings.Hocon)), this);
        _shards = run.KeepShards(Self, Start, Context.Stop);
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
                _shards.TakeOn(start);
                return null;
            case StopShard stop:
                _shards.GiveUp(stop.Shard, stop.Incarnation);
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
        _isMember = _cluster.SelfMember.Status == MemberStatus.Up;
        _runner.Feed(new MachineStarted());
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberUp));
    }

    protected override void PostStop()
    {
        _deadline?.Cancel();
        _cluster.Unsubscribe(Self);
        _shards.Dispose();
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
            case Terminated gone when _workers.Remove(gone.ActorRef):
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
            case ClusterEvent.MemberUp up when !_isMember && up.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress):
                _isMember = true;
                _runner.Feed(new DeadlinePassed());
                break;
            case ClusterEvent.MemberUp:
                break;
            case LeaveWanted:
                _runner.Feed(new LeaveRequested());
                break;
            case CopiesFail failing:
                TellThatCopiesFail(failing);
                break;
            case IMessage or Noted:
                _coordinator.Forward(message);
                break;
            default:
                if (!_shards.Take(message, Sender))
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

    /// <summary>All shards of this process that have their copies at the same node cannot send them for the same reason: that is told once.</summary>
    private void TellThatCopiesFail(CopiesFail failing)
    {
        var sentence = $"node {_run.Node} cannot send copies of its slices to node {failing.Replica} and tries after each update: {failing.Failure}";
        if (_limit.Pass(sentence, NowTicks) is { } told)
        {
            _coordinator.Tell(new Noted(told), Self);
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
                _workers.Add(Context.Watch(actor));
            }
        }

        var started = new CoordinatorStarted(epoch);
        foreach (var worker in _workers)
        {
            worker.Tell(started, Self);
        }

        _shards.TellAll(started);
    }

    private IActorRef Start(StartShard start)
    {
        var (run, self, shard) = (_run, Self, start.Shard);
        var actor = Context.Watch(Context.ActorOf(
            Props.Create(() => new ShardActor(run, self, shard)).WithDispatcher(Dispatcher), $"shard-{shard.Number}-{start.Incarnation.Number}"));
        actor.Tell(new Own(new MachineStarted()), Self);
        return actor;
    }

    private void SayWhichCopies()
    {
        foreach (var copy in _shards.Copies)
        {
            _coordinator.Tell(copy, Self);
        }
    }

    private void Announce(Input message)
    {
        if (message is NodeJoining)
        {
            var channel = _run.Channel.Address;
            _anyCoordinator.Tell(new NodeLocated(_run.Node, channel, _cluster.SelfRoles.Contains(ClusterNode.CoordinatorRole), _isMember), Self);
            _anyCoordinator.Tell(_run.Counters.Report(_run.Node, $"{channel.Host}:{channel.Port}", _run.Settings.Traffic), Self);
        }

        _anyCoordinator.Tell(message, Self);
    }

    private void End(Protocol.Coordination.RunOutcome outcome, long step, string reason) => _end.TrySetResult(new(step, outcome, reason));
}
