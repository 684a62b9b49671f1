using System.Diagnostics;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Inspection;

/// <summary>
/// What a coordinator's host remembers for whoever inspects the run, beside what the coordinator knows itself. It outlives the coordinator's actor, and is used by
/// one thread at a time. A step costs it a few additions and no memory.
/// </summary>
/// <param name="name">The run's name.</param>
/// <param name="stepTokens">Tokens of a step's global batch.</param>
/// <param name="leaves">L, leaves of a step.</param>
public sealed class RunInspector(string name, long stepTokens, int leaves)
{
    private const int TimesMax = 16;
    private const int NotesMax = 8;

    private readonly long _since = Stopwatch.GetTimestamp();
    private readonly long[] _stepTicks = new long[TimesMax];
    private readonly Queue<string> _notes = new(NotesMax);
    private readonly SortedDictionary<int, NodeReport> _reports = [];
    private long _steps;
    private double? _loss;

    /// <summary>What coordinators before the one that there is have lost.</summary>
    private FaultCounts _lostBefore;

    /// <summary>What the one that there is has lost, as far as it was counted.</summary>
    private FaultCounts _lost;

    /// <summary>A coordinator begins, which has lost nothing yet. What those before it have lost stays counted.</summary>
    public void CoordinatorBegins() => (_lostBefore, _lost) = (_lostBefore + _lost, default);

    /// <summary>Counts what was lost since this was called last: the one place from which <see cref="RunMeter"/> and the view have it.</summary>
    /// <param name="faults">What the coordinator that began last has lost in all.</param>
    public void Follow(in FaultCounts faults)
    {
        if (faults != _lost)
        {
            RunMeter.Survived(faults - _lost);
            _lost = faults;
        }
    }

    /// <summary>A step is done.</summary>
    public void Stepped(in StepScalars scalars, long elapsedTicks)
    {
        _stepTicks[_steps++ % TimesMax] = elapsedTicks;
        _loss = double.IsFinite(scalars.Loss) ? scalars.Loss : null;
        RunMeter.Stepped(stepTokens, (double)elapsedTicks / TimeSpan.TicksPerSecond);
    }

    /// <summary>Something out of the ordinary was said.</summary>
    public void Noted(string reason)
    {
        if (_notes.Count == NotesMax)
        {
            _notes.Dequeue();
        }

        _notes.Enqueue(reason);
    }

    /// <summary>A process says what it has done.</summary>
    public void Heard(NodeReport report) => _reports[report.Node.Number] = report;

    /// <summary>The run at this moment.</summary>
    /// <param name="seen">What the coordinator knows.</param>
    /// <param name="coordinator">The node that it is on; none in a run of one process.</param>
    public RunView View(CoordinatorView seen, NodeId? coordinator = null)
    {
        var mean = MeanStepSeconds();
        var times = _reports.Values.SelectMany(report => report.Workers).GroupBy(worker => worker.Worker.Number).ToDictionary(group => group.Key, group => group.Last());
        return new(
            name,
            Words(seen.Phase),
            seen.Epoch.Number,
            seen.StepsInAll,
            seen.Step.Number,
            seen.LastCommitted?.Number,
            seen.Checkpointed.Number,
            _loss,
            mean,
            mean is > 0 ? stepTokens / mean : null,
            _steps == 0 ? 0 : _reports.Values.Sum(report => report.BytesSent) / _steps,
            Stopwatch.GetElapsedTime(_since).TotalSeconds,
            seen.Wait is { } wait ? new(wait.Who, wait.What, Seconds(seen.NowTicks - wait.SinceTicks)) : null,
            Faults(seen.Survived),
            coordinator?.Number,
            Nodes(seen),
            [.. seen.Workers.Select(worker => View(worker, times.TryGetValue(worker.Worker.Number, out var time) ? time : null))],
            [.. seen.Shards.Select(View)],
            [.. seen.Leases.Select(View)],
            [.. _notes]);
    }

    private static double Seconds(long ticks) => Math.Max(0, (double)ticks / TimeSpan.TicksPerSecond);

    private RunFaults Faults(SurvivedView survived)
    {
        var (workers, nodes, shards, restores, epochs) = _lostBefore + survived.Faults;
        return new(workers, nodes, shards, restores, epochs, survived.Dropped.Sum(reason => reason.Count));
    }

    private static RunShard View(ShardView shard) => new(
        shard.Shard.Number, shard.Owner?.Number, shard.IsLive, shard.Slice?.Number, shard.Replica?.Number, shard.ReplicaStep?.Number, shard.Failures);

    private static RunLease View(LeaseView lease) => new(
        lease.Lease.ToString(),
        lease.Worker.Number,
        $"{(lease.Node is null ? "held-out units" : "leaves")} {lease.First}-{lease.First + lease.Count - 1}",
        Seconds(lease.AgeTicks),
        lease.IsCopy);

    /// <summary>What a person calls it: the coordinator's phases say what it waits for.</summary>
    private static string Words(CoordinatorPhase phase) => phase switch
    {
        CoordinatorPhase.Assembling => "assembling",
        CoordinatorPhase.Computing => "computing gradients",
        CoordinatorPhase.Reducing => "adding gradients",
        CoordinatorPhase.Combining => "combining statistics",
        CoordinatorPhase.Applying => "updating",
        CoordinatorPhase.Evaluating or CoordinatorPhase.CombiningEvaluation => "evaluating",
        CoordinatorPhase.Snapshotting => "copying the state",
        CoordinatorPhase.AwaitingCheckpoint => "writing a checkpoint",
        CoordinatorPhase.Paused => "paused",
        CoordinatorPhase.AwaitingMembers => "waiting for members",
        CoordinatorPhase.Restoring => "restoring",
        CoordinatorPhase.Ended => "ended",
        _ => throw Invariant.Broken($"no words for {phase}"),
    };

    private static string State(WorkerView worker) => worker switch
    {
        { IsLive: false, IsLeaving: true } => "gone",
        { IsLive: false } => "lost",
        { IsLeaving: true } => "leaving",
        { IsPassedOver: true } => "passed over",
        { LeasesOpen: > 0 } => "computing",
        { IsJoining: true } => "joining",
        _ => "idle",
    };

    private RunWorker View(WorkerView worker, WorkerReport? report) => new(
        worker.Worker.Number,
        worker.Node.Number,
        State(worker),
        worker.LeavesAnswered,
        worker.MedianTicksPerLeaf is > 0 and { } ticks ? (double)stepTokens / leaves / Seconds(ticks) : null,
        report is { } computed ? Seconds(computed.ComputeTicks) : null,
        report is { } lived ? Seconds(lived.LivedTicks - lived.ComputeTicks) : null,
        worker.LeasesOpen,
        worker.Failures);

    /// <summary>Nodes that the coordinator knows, and this process where it knows of none: a run in one process admits nobody.</summary>
    private RunNode[] Nodes(CoordinatorView seen)
    {
        NodeView[] nodes = seen.Nodes.Length > 0 ? seen.Nodes : [.. seen.Workers.Select(worker => worker.Node).Distinct().Select(node => new NodeView(node, true, false, false))];
        return [.. nodes.Select(node => View(node, seen))];
    }

    private RunNode View(NodeView node, CoordinatorView seen)
    {
        var report = _reports.GetValueOrDefault(node.Node.Number);
        return new(
            node.Node.Number,
            report?.Address ?? "",
            node switch
            {
                { IsDrained: true } => "drained",
                { IsLive: false } => "lost",
                { IsLeaving: true } => "leaving",
                _ => "there",
            },
            seen.Workers.Count(worker => worker.IsLive && worker.Node == node.Node),
            seen.Shards.Count(shard => shard.Owner == node.Node),
            report is null ? null : Seconds(report.Workers.Sum(worker => worker.ComputeTicks)),
            report is null ? null : Seconds(report.ReduceTicks),
            report is null ? null : Seconds(report.Workers.Sum(worker => worker.LivedTicks - worker.ComputeTicks)),
            report?.BytesSent ?? 0,
            report?.BytesReceived ?? 0);
    }

    private double? MeanStepSeconds()
    {
        var count = (int)Math.Min(_steps, TimesMax);
        return count == 0 ? null : Seconds(_stepTicks.AsSpan(0, count).ToArray().Sum()) / count;
    }
}
