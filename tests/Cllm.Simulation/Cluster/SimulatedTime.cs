using Akka.Actor;
using Akka.Dispatch;

namespace Cllm.Simulation.Cluster;

/// <summary>The clock of a simulated process, and what tells its actors things later: in virtual time, and never after the process is over.</summary>
internal sealed class SimulatedTime(SimulatedCluster cluster, SimulatedNode node) : TimeProvider, IScheduler, IAdvancedScheduler
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public IAdvancedScheduler Advanced => this;

    DateTimeOffset ITimeProvider.Now => throw Unused();

    public TimeSpan MonotonicClock => new(GetTimestamp());

    public TimeSpan HighResMonotonicClock => new(GetTimestamp());

    public override long GetTimestamp() => node.Clock(cluster.NowTicks);

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender) =>
        cluster.In(node, delay.Ticks, () => receiver.Tell(message, sender));

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable? cancelable) =>
        cluster.In(node, delay.Ticks, () =>
        {
            if (cancelable?.IsCancellationRequested != true)
            {
                receiver.Tell(message, sender);
            }
        });

    public void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender) => throw Unused();

    public void ScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable? cancelable) => throw Unused();

    public void ScheduleOnce(TimeSpan delay, Action action, ICancelable? cancelable) => throw Unused();

    public void ScheduleOnce(TimeSpan delay, Action action) => throw Unused();

    public void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable? cancelable) => throw Unused();

    public void ScheduleOnce(TimeSpan delay, IRunnable action) => throw Unused();

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable? cancelable) => throw Unused();

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action) => throw Unused();

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable? cancelable) => throw Unused();

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action) => throw Unused();

    private static NotSupportedException Unused() => new("the program does not do that");
}
