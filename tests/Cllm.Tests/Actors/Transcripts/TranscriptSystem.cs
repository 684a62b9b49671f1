using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>
/// The actor system that transcripts are replayed in: every message goes through its serializer, time is the transcript's, and it is a cluster of one, so that
/// what goes to every node goes to the one at its usual place.
/// </summary>
public sealed class TranscriptSystem : TestKit
{
    private TranscriptLog _log = new();

    public TranscriptSystem()
        : base(Configuration)
    {
        var nodes = Sys.ActorOf(Props.Create(() => new EveryNode(this)).WithDispatcher(CallingThreadDispatcher.Id), NodeActor.Name);
        nodes.Ask<ActorIdentity>(new Identify(0)).Wait(TimeSpan.FromSeconds(30));
        var isUp = new TaskCompletionSource();
        var cluster = Akka.Cluster.Cluster.Get(Sys);
        cluster.RegisterOnMemberUp(isUp.SetResult);
        cluster.Join(cluster.SelfAddress);
        Assert.True(isUp.Task.Wait(TimeSpan.FromSeconds(30)), "the cluster of one did not form");
    }

    /// <summary>How nodes' settings look.</summary>
    internal static Config Configuration { get; } = ConfigurationFactory.ParseString("""
        akka {
          scheduler.implementation = "Cllm.Tests.Actors.Transcripts.TranscriptScheduler, Cllm.Tests"
          actor {
            provider = cluster
            serialize-messages = on
            # Messages of Akka.NET's own that never leave the process have no serializer; those of the program are looked at where they arrive.
            serialization-settings.allow-unregistered-types = true
          }
          remote.dot-netty.tcp {
            hostname = "127.0.0.1"
            port = 0
          }
          cluster {
            periodic-tasks-initial-delay = 50ms
            gossip-interval = 100ms
            leader-actions-interval = 100ms
            split-brain-resolver.static-quorum.quorum-size = 1
          }
        }
        cllm.announce = 0.01ms
        """).WithFallback(Cllm.Actors.Hocon.Load());

    internal TranscriptScheduler Time => (TranscriptScheduler)Sys.Scheduler;

    /// <summary>Begins a replay, which writes what it sees to a log of its own.</summary>
    internal TranscriptLog Begin()
    {
        var log = new TranscriptLog();
        (_log, Time.NowTicks, Time.DeadlineSet) = (log, 0, atTicks => log.Add(TranscriptText.Write(new DeadlineSet(atTicks))));
        return log;
    }

    /// <summary>Where a coordinator expects the actor of each node.</summary>
    private sealed class EveryNode(TranscriptSystem system) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is Input)
            {
                system._log.Add($"nodes {TranscriptText.Write(message)}");
            }
        }
    }
}

/// <summary>Akka.NET's own timer, but for the machines' deadlines and the time that they are told: those are the transcript's.</summary>
internal sealed class TranscriptScheduler(Config config, ILoggingAdapter log) : SchedulerBase(config, log), IDisposable
{
    private readonly HashedWheelTimerScheduler _timer = new(config, log);
    private long _nowTicks;

    public long NowTicks
    {
        get => Volatile.Read(ref _nowTicks);
        set => Volatile.Write(ref _nowTicks, value);
    }

    /// <summary>Hears of each deadline that a machine sets.</summary>
    public Action<long> DeadlineSet { get; set; } = _ => { };

    public override TimeSpan MonotonicClock => ((ITimeProvider)_timer).MonotonicClock;

    public override TimeSpan HighResMonotonicClock => TimeSpan.FromTicks(NowTicks);

    protected override DateTimeOffset TimeNow => ((ITimeProvider)_timer).Now;

    public void Dispose() => _timer.Dispose();

    protected override void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        if (message is Own { Input: DeadlinePassed })
        {
            DeadlineSet(NowTicks + delay.Ticks);
        }
        else
        {
            ((ITellScheduler)_timer).ScheduleTellOnce(delay, receiver, message, sender, cancelable);
        }
    }

    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        ((ITellScheduler)_timer).ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        ((IActionScheduler)_timer).ScheduleOnce(delay, action, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        ((IActionScheduler)_timer).ScheduleRepeatedly(initialDelay, interval, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        InternalScheduleOnce(delay, action.Run, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable) =>
        InternalScheduleRepeatedly(initialDelay, interval, action.Run, cancelable);
}
