using Akka.Actor;
using Akka.Event;
using Cllm.Actors.Inspection;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Local;

/// <summary>
/// Parent of a run's actors. A worker or shard that fails is restarted, as often as the coordinator's machine bears with it; a coordinator that fails is
/// restarted as often as a worker may fail before the run's next new step, and then ends the run; at once where training diverged or nothing can be written.
/// </summary>
internal sealed class RunActor : UntypedActor
{
    private const string Dispatcher = "cllm.dispatcher";

    private readonly LocalRun _run;
    private readonly TaskCompletionSource<TrainingEnd> _end;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private string _failure = "the coordinator stopped";

    /// <summary>How often the coordinator failed since the run stood at <see cref="_failedStep"/>.</summary>
    private int _failures;
    private long _failedStep = -1;

    public RunActor(LocalRun run, TaskCompletionSource<TrainingEnd> end) => (_run, _end) = (run, end);

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(Warning));
        Context.System.EventStream.Subscribe(Self, typeof(Error));

        _coordinator = Context.ActorOf(Props.Create(() => new LocalCoordinatorActor(_run)).WithDispatcher(Dispatcher), "coordinator");
        Context.Watch(_coordinator);
        var (run, coordinator) = (_run, _coordinator);
        for (var i = 0; i < run.Shards.Length; i++)
        {
            var shard = new ShardIndex(i);
            Start(Props.Create(() => new ShardActor(run, coordinator, shard)), $"shard-{i}");
        }

        for (var i = 0; i < run.Workers.Length; i++)
        {
            var worker = new WorkerId(i);
            Start(Props.Create(() => new WorkerActor(run, coordinator, worker)), $"worker-{i}");
        }
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case StopRequested:
                _coordinator.Tell(message, Self);
                break;
            case RunAsked or RunOrder:
                _coordinator.Forward(message);
                break;
            case LogEvent log:
                _coordinator.Tell(new Noted($"Akka.NET: {NoteLimit.FirstLine(log.Message)}"), Self);
                break;
            case TrainingEnd end:
                _end.TrySetResult(end);
                break;
            case Terminated:
                _end.TrySetResult(new(_run.Coordinator.CommittedSteps, RunOutcome.Failed, _failure));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>A run whose actor system ends by itself, as one does that was configured to be what it cannot be, has ended too.</summary>
    protected override void PostStop() => _end.TrySetResult(new(_run.Coordinator.CommittedSteps, RunOutcome.Failed, "the actor system ended before the run did"));

    /// <summary>
    /// The coordinator's machine counts failures and says when they are too many, so the strategy needs no limit of its own.
    /// </summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        maxNrOfRetries: -1,
        withinTimeMilliseconds: -1,
        localOnlyDecider: failure =>
        {
            if (!Sender.Equals(_coordinator))
            {
                return Directive.Restart;
            }

            // Another coordinator would find numbers and disk as this one did, and do so again at each step.
            var isFinal = failure is TrainingDivergedException or StorageException;
            _failure = isFinal ? failure.Message : $"the coordinator failed: {failure.Message}";
            var coordinator = _run.Coordinator;
            (_failures, _failedStep) = coordinator.CommittedSteps > _failedStep ? (1, coordinator.CommittedSteps) : (_failures + 1, _failedStep);
            return !isFinal && coordinator.Epoch.Number > 0 && _failures <= _run.Settings.FailuresMax ? Directive.Restart : Directive.Stop;
        },
        loggingEnabled: false);

    private static void Start(Props props, string name) =>
        Context.ActorOf(props.WithDispatcher(Dispatcher), name).Tell(new Own(new MachineStarted()), ActorRefs.NoSender);
}
