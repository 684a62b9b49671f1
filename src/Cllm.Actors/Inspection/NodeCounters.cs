using System.Diagnostics;
using Cllm.Actors.Channel;
using Cllm.Actors.Wire;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Inspection;

/// <summary>
/// What the workers and shards of a process have done. Each worker writes its own place; everybody may read at any time, and counting allocates nothing.
/// </summary>
public sealed class NodeCounters
{
    private readonly WorkerId[] _workers;
    private readonly WorkerPlace[] _places;
    private long _reduceTicks;

    /// <summary>Nothing is done yet; all workers wait from now on.</summary>
    /// <param name="workers">Workers of the process.</param>
    public NodeCounters(IEnumerable<WorkerId> workers)
    {
        _workers = [.. workers];
        _places = [.. _workers.Select(_ => new WorkerPlace())];
    }

    /// <summary>A worker has computed.</summary>
    /// <param name="at">Its place among the workers of the process.</param>
    /// <param name="leaves">Leaves; 0 when it was something else.</param>
    /// <param name="startedAt"><see cref="Stopwatch.GetTimestamp"/> when it began.</param>
    public void Computed(int at, int leaves, long startedAt)
    {
        var time = Stopwatch.GetElapsedTime(startedAt);
        Volatile.Write(ref _places[at].ComputeTicks, _places[at].ComputeTicks + time.Ticks);
        RunMeter.Computed(leaves, time.TotalSeconds);
    }

    /// <summary>A shard has added gradients or updated its slice.</summary>
    /// <param name="startedAt"><see cref="Stopwatch.GetTimestamp"/> when it began.</param>
    public void Reduced(long startedAt)
    {
        var time = Stopwatch.GetElapsedTime(startedAt);
        Interlocked.Add(ref _reduceTicks, time.Ticks);
        RunMeter.Reduced(time.TotalSeconds);
    }

    /// <summary>All of it, for the coordinator's process; a node sends it with its announcements.</summary>
    /// <param name="node">The process's node.</param>
    /// <param name="address">Where it is, for people.</param>
    /// <param name="channel">What its end of the tensor channel did; none when it has none.</param>
    public NodeReport Report(NodeId node, string address, ChannelCounters? channel = null) => new(
        node,
        address,
        [.. _workers.Select((worker, at) => new WorkerReport(worker, Volatile.Read(ref _places[at].ComputeTicks), _places[at].LivedTicks))],
        Interlocked.Read(ref _reduceTicks),
        channel?.BytesSent ?? 0,
        channel?.BytesReceived ?? 0);

    private sealed class WorkerPlace
    {
        public long ComputeTicks;

        private readonly long _since = Stopwatch.GetTimestamp();

        public long LivedTicks => Stopwatch.GetElapsedTime(_since).Ticks;
    }
}

/// <summary>What a process has done since it started. Times are in units of 100 nanoseconds.</summary>
/// <param name="Node">The process's node.</param>
/// <param name="Address">Where it is, for people.</param>
/// <param name="Workers">Its workers.</param>
/// <param name="ReduceTicks">Time that its shards added gradients and updated.</param>
/// <param name="BytesSent">Bytes sent over the tensor channel.</param>
/// <param name="BytesReceived">Bytes got over the tensor channel.</param>
public sealed record NodeReport(NodeId Node, string Address, WorkerReport[] Workers, long ReduceTicks, long BytesSent, long BytesReceived) : IWire;

/// <summary>What a worker has done.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="ComputeTicks">Time that it computed.</param>
/// <param name="LivedTicks">Time since it was set up.</param>
public readonly record struct WorkerReport(WorkerId Worker, long ComputeTicks, long LivedTicks);
