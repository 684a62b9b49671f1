using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Cluster;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Cluster;

/// <summary>
/// The cluster's one place for a coordinator, in the oldest process that may have it. It starts the coordinator, passes on what comes for it, and when the run
/// is over says so to every node.
/// </summary>
internal sealed class CoordinatorSeat : UntypedActor, IWithUnboundedStash
{
    private const string Dispatcher = "cllm.dispatcher";

    private readonly NodeRun _run;
    private readonly ITrainingObserver _observer;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);

    /// <summary>How many members had come before this process when it did, once it is one.</summary>
    private int? _number;

    private CoordinatorRun? _coordination;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private string _failure = "the coordinator stopped";
    private bool _isDiskFailure;

    /// <summary>How the run has ended; none while it has not.</summary>
    private RunIsOver? _over;

    /// <summary>How often the coordinator failed since the run stood at <see cref="_failedStep"/>.</summary>
    private int _failures;
    private long _failedStep = -1;

    public CoordinatorSeat(NodeRun run, ITrainingObserver observer) => (_run, _observer) = (run, observer);

    /// <summary>What comes before the coordinator is there.</summary>
    public IStash Stash { get; set; } = null!;

    protected override void PreStart() =>
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberUp));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case not (HandOver or HandOverNow) when _coordination is { IsGivenUp: true }:
                // Whoever announces himself is heard by the next one.
                break;
            case ClusterEvent.MemberUp up when _number is null && up.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress):
                _number = UpNumberOf(up.Member);
                var seat = Self;
                _run.Follower!.StopAsync().ContinueWith(_ => seat.Tell(new FollowingEnded()), TaskScheduler.Default);
                break;
            case ClusterEvent.MemberUp:
                break;
            case FollowingEnded:
                Begin(_number!.Value);
                break;
            case TrainingEnd end:
                End(end.Outcome, new(end.CommittedSteps), end.Sentence, _coordination!.HasDiskFailed);
                break;
            case Terminated:
                End(RunOutcome.Failed, new(_coordination!.CommittedSteps), _failure, _isDiskFailure);
                break;
            case NodeJoining when _over is not null:
                Sender.Tell(_over, Self);
                break;
            case HandOver:
                var self = Self;
                (_coordination?.Writing ?? Task.CompletedTask).ContinueWith(_ => self.Tell(new HandOverNow()), TaskScheduler.Default);
                break;
            case HandOverNow:
                Context.Stop(Self);
                break;
            default:
                if (_coordination is null)
                {
                    Stash.Stash();
                }
                else
                {
                    _coordinator.Forward(message);
                }

                break;
        }
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        maxNrOfRetries: -1, withinTimeMilliseconds: -1, localOnlyDecider: Decide, loggingEnabled: false);

    private static CoordinatorSettings SettingsOf(NodeRun run, bool isSuccessor)
    {
        var settings = run.Settings;
        var step = new Step(isSuccessor ? Math.Min(run.Host.NewestCheckpoint, settings.Steps) : settings.FirstStep);
        return new CoordinatorSettings
        {
            Leaves = settings.Leaves,
            Steps = settings.Steps,
            Shards = run.Shards.Length,
            WorkersToStart = isSuccessor ? 1 : settings.WorkersToStart,
            NodesToStart = isSuccessor ? 0 : settings.NodesToStart,
            NodesMin = settings.NodesMin,
            FirstStep = step,
            LastCheckpoint = step,
            IsSuccessor = isSuccessor,
            IsStepLearned = isSuccessor,
            Run = settings.Run,
            AreGradientsFetched = true,
            EvaluationUnits = run.Host.EvaluationUnits,
            EvaluateEvery = settings.EvaluateEvery,
            CheckpointEvery = settings.CheckpointEvery,
        }.Limit(settings.Hocon);
    }

    /// <summary>How many members had come before this process when it did: the library orders members by it, and keeps it to itself.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_UpNumber")]
    private static extern int UpNumberOf(Member member);

    /// <summary>Who comes first begins the run; whoever comes after it finds out from the shards where that has got.</summary>
    private void Begin(int number)
    {
        var settings = SettingsOf(_run, isSuccessor: number > 1) with { FirstEpoch = Epoch.FirstOf(number) };
        _coordination = new(_run.Host, _observer, settings, new(_run.Settings.Name, _run.Settings.StepTokens, settings.Leaves));
        _run.Coordination = _coordination;
        if (number == 1)
        {
            _run.HoldFirstStep();
        }
        else
        {
            _observer.Note($"this process coordinates the run from now on, in epoch {settings.FirstEpoch}");
        }

        var (coordination, run) = (_coordination, _run);
        _coordinator = Context.Watch(Context.ActorOf(
            Props.Create(() => new ClusterCoordinatorActor(coordination, run)).WithDispatcher(Dispatcher), "coordinator"));
        _coordinator.Tell(new Own(new Protocol.MachineStarted()), Self);
        Stash.UnstashAll();
    }

    private bool IsStandbyThere() => _cluster.State.Members.Any(member =>
        member.Status == MemberStatus.Up && member.HasRole(ClusterNode.CoordinatorRole) && !member.UniqueAddress.Equals(_cluster.SelfUniqueAddress)
        && !_cluster.State.Unreachable.Contains(member));

    private Directive Decide(Exception failure)
    {
        // Another coordinator would find numbers and disk as this one did, and do so again at each step.
        _isDiskFailure = failure is StorageException;
        var isFinal = _isDiskFailure || failure is TrainingDivergedException;
        _failure = isFinal ? failure.Message : $"the coordinator failed: {failure.Message}";
        var coordination = _coordination!;
        (_failures, _failedStep) = coordination.CommittedSteps > _failedStep ? (1, coordination.CommittedSteps) : (_failures + 1, _failedStep);
        var mayGoOn = !isFinal && coordination.Epoch.Number > 0 && _failures <= coordination.Settings.FailuresMax;
        return mayGoOn ? Directive.Restart : Directive.Stop;
    }

    private void End(RunOutcome outcome, Step step, string reason, bool isCauseHere)
    {
        if (_over is not null)
        {
            return;
        }

        if (outcome == RunOutcome.Failed && isCauseHere && !_coordination!.IsStopWanted && IsStandbyThere())
        {
            // Another process has a disk of its own, and the state is where it was: it goes on as if this one had been killed.
            _coordination.IsGivenUp = true;
            _run.NodeActor.Tell(new RunIsOver(outcome, step, $"{reason.TrimEnd('.')}; a standby goes on with the run"), Self);
            return;
        }

        _over = new(outcome, step, reason);
        foreach (var member in _cluster.State.Members)
        {
            Context.ActorSelection(new RootActorPath(member.Address) / "user" / NodeActor.Name).Tell(_over, Self);
        }
    }
}

/// <summary>Tells the coordinator's place that it moves to another process.</summary>
internal sealed record HandOver : INoSerializationVerificationNeeded;
