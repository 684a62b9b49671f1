using Cllm.Model.Checkpoints;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;
using Cllm.Simulation.Arithmetic;
using Cllm.Simulation.Checkers;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>
/// A whole cluster in one thread and in virtual time: nodes, links, clocks, a disk, and the program's own machines. After the models of FoundationDB's
/// simulation and TigerBeetle's VOPR.
/// </summary>
internal sealed partial class SimulatedCluster : IDisposable
{
    private const int WorkersMax = 256;
    private const long DrainTicksMin = 5 * Scenario.Second;
    private const long DrainTicksMax = 3000 * Scenario.Second;

    private readonly EventQueue _queue = new();
    private readonly Checker[] _checkers;
    private readonly long[] _counts = new long[Scenario.Kinds];
    private readonly Action<string>? _trace;

    /// <summary>One for each node, or one that all share.</summary>
    private readonly SimulatedDisk[] _disks;

    /// <summary>Has room for what all owners have together.</summary>
    private readonly IArithmetic _reader;
    private bool _isDrained;
    private long _finishedAtTicks;

    public SimulatedCluster(Scenario scenario, Action<string>? trace = null)
    {
        (Scenario, _trace) = (scenario, trace);
        Dice = new(scenario.Seed);
        Tree = new(scenario.Leaves);
        Network = new(this);
        Channel = new(this);
        _disks = [.. Enumerable.Range(0, scenario.HasOwnDisks ? scenario.Nodes : 1).Select(_ => new SimulatedDisk(this))];
        _reader = MakeArithmetic(_disks[0].Checkpoints);
        Nodes = [.. Enumerable.Range(0, scenario.Nodes).Select(MakeNode)];
        var shards = _reader.Shards(scenario.Shards);
        Owners = new ShardSeat?[shards];
        for (var worker = 0; worker < scenario.Nodes * scenario.WorkersPerNode; worker++)
        {
            Workers.Add(new(Nodes[worker % scenario.Nodes]) { Number = worker });
        }

        _checkers =
        [
            new SameDigest(Expected(shards)), new EveryLeafOnce(Tree), new CommittedStays(scenario.Steps),
            new OneCoordinatorPerEpoch(), new NoLeaseOutstanding(), new NothingLeftBehind(), new Progress(),
        ];
    }

    public Scenario Scenario { get; }

    public Dice Dice { get; }

    public LeafTree Tree { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedNode[] Nodes { get; }

    /// <summary>Whether nodes are machines of their own, that join and own shards; else all is one process.</summary>
    public bool IsCluster => Nodes.Length > 1;

    /// <summary>Number of shards.</summary>
    public int ShardCount => Owners.Length;

    /// <summary>Where each shard was started last: whose slice counts. None when that process is dead.</summary>
    public ShardSeat?[] Owners { get; }

    public List<WorkerSeat> Workers { get; } = [];

    /// <summary>Virtual time, in units of 100 nanoseconds.</summary>
    public long NowTicks { get; private set; }

    /// <summary>Whether faults still happen.</summary>
    public bool IsFaulty => HealedAtTicks is null;

    /// <summary>When the faults ended.</summary>
    public long? HealedAtTicks { get; private set; }

    /// <summary>Whether the run has finished.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Digest of the state at the end; none when nobody has it.</summary>
    public ulong? FinalDigest { get; private set; }

    /// <summary>Fingerprint of all that has happened, in order.</summary>
    public ulong TraceHash { get; private set; }

    /// <summary>Faults that happened, by kind.</summary>
    public IReadOnlyList<long> Counts => _counts;

    /// <summary>Events that happened.</summary>
    public long Events { get; private set; }

    /// <summary>How often the state was brought back to a checkpoint.</summary>
    public long Restores { get; set; }

    /// <summary>Coordinators that began.</summary>
    public long Coordinators => _hosts;

    /// <summary>Shards that their owners gave to other nodes.</summary>
    public long Moves { get; set; }

    public bool IsTracing => _trace is not null;

    /// <summary>Runs to the end of the run and checks it.</summary>
    /// <exception cref="SimulationViolation">What must never happen has happened.</exception>
    public void Run()
    {
        if (Scenario.Rate(FaultKind.Drift) > 0)
        {
            Count(FaultKind.Drift);
        }

        StartRun();
        Plan(Scenario.Second, EventKind.Tick, default, null, null);
        while (!_isDrained)
        {
            var next = _queue.Take();
            NowTicks = next.AtTicks;
            Handle(next);
        }

        foreach (var checker in _checkers)
        {
            checker.AtEnd(this);
        }
    }

    public void Trace(string line) => _trace?.Invoke($"{NowTicks / (double)Scenario.Second,12:F6} {line}");

    public void Count(FaultKind kind) => _counts[(int)kind]++;

    public void Plan(long inTicks, EventKind kind, Destination to, object? host, object? body) => _queue.Add(NowTicks + inTicks, kind, to, host, body);

    public void PlanAt(long atTicks, EventKind kind, Destination to, object? host, object? body) => _queue.Add(Math.Max(atTicks, NowTicks), kind, to, host, body);

    /// <summary>A time from half to one and a half of the given one.</summary>
    public long Jitter(long ticks) => Dice.Between(ticks / 2, ticks + (ticks / 2)) + 1;

    public void SendToCoordinator(SimulatedNode from, Input message)
    {
        if (from.Known is { } coordinator)
        {
            Send(from, coordinator.Node, Destination.Coordinator, coordinator, message);
        }
    }

    public void SendTo(CoordinatorHost from, Destination to, Input message)
    {
        if (WorkerAt(to.Index) is { } seat)
        {
            Send(from.Node, seat.Node, to, null, message);
        }
    }

    public void SendTo(CoordinatorHost from, ShardSeat seat, Input message) =>
        Send(from.Node, seat.Node, Destination.Of(new ShardIndex(seat.Number)), seat, message);

    public void SendTo(CoordinatorHost from, SimulatedNode node, Input message)
    {
        if (node.Machine is { } machine)
        {
            Send(from.Node, node, machine.Address, machine, message);
        }
    }

    /// <summary>The place of a shard in a process.</summary>
    public ShardSeat? SeatOf(int shard, NodeId process) => Array.Find(Nodes, node => node.Id == process)?.Shards.GetValueOrDefault(shard);

    public void Sent(CoordinatorHost coordinator, Input message)
    {
        foreach (var checker in _checkers)
        {
            checker.Sent(coordinator, message);
        }
    }

    public void Report(StepReported report)
    {
        var digest = Digest(report.Step.Number + 1);
        foreach (var checker in _checkers)
        {
            checker.Reported(report, digest);
        }

        if (IsFaulty && report.Step.Number + 1 >= Scenario.HealAtStep)
        {
            Heal();
        }
    }

    public void Dispose()
    {
        foreach (var node in Nodes)
        {
            node.Process?.Dispose();
        }

        _reader.Dispose();
    }

    /// <summary>What a process computes with.</summary>
    public IArithmetic MakeArithmetic(CheckpointStore checkpoints) => Scenario.IsRealModel
        ? new TinyModel(checkpoints, Scenario.Shards)
        : new StandIn(checkpoints, Scenario.Leaves, Scenario.Shards, Scenario.EvaluationUnits, Scenario.Plant);

    /// <summary>Digest of what the owners of all shards have together; none unless all stand at a step.</summary>
    private ulong? Digest(long step)
    {
        if (!Array.TrueForAll(Owners, seat => seat?.Slice == step))
        {
            return null;
        }

        foreach (var seat in Owners)
        {
            var range = _reader.Ranges(ShardCount)[seat!.Number];
            var (from, to) = (seat.Process.Host.State, _reader.State);
            from.Weights.Span.Slice(range.Offset, range.Length).CopyTo(to.Weights.Span[range.Offset..]);
            from.FirstMoment.Span.Slice(range.Offset, range.Length).CopyTo(to.FirstMoment.Span[range.Offset..]);
            from.SecondMoment.Span.Slice(range.Offset, range.Length).CopyTo(to.SecondMoment.Span[range.Offset..]);
        }

        return _reader.Digest();
    }

    private SimulatedNode MakeNode(int index)
    {
        var isDrifting = Scenario.Rate(FaultKind.Drift) > 0;
        return new(index, _disks[index % _disks.Length])
        {
            DriftPpm = isDrifting ? Dice.Between(-100_000, 100_000) : 0,
            ClockOffsetTicks = isDrifting ? Dice.Between(0, 1_000_000 * Scenario.Second) : 0,
        };
    }

    private ulong[] Expected(int shards)
    {
        var checkpoints = new CheckpointStore(new Cllm.Tests.Checkpoints.MemoryFileStore(), "/none", 1);
        using IArithmetic arithmetic = Scenario.IsRealModel
            ? new TinyModel(checkpoints, Scenario.Shards)
            : new StandIn(checkpoints, Scenario.Leaves, shards, Scenario.EvaluationUnits, PlantedFault.None);
        arithmetic.Restore();
        return FaultFreeRun.Digests(arithmetic, Scenario.Leaves, shards, Scenario.Steps);
    }

    private void Send(SimulatedNode from, SimulatedNode node, Destination to, object? host, object message)
    {
        var (first, second) = Network.Delays(from, node);
        if (first is { } delay)
        {
            Plan(Network.Held(from, node, delay), EventKind.Deliver, to, host, message);
        }

        if (second is { } again)
        {
            Plan(Network.Held(from, node, again), EventKind.Deliver, to, host, message);
        }
    }

    private void Handle(in Event next)
    {
        Events++;
        var hash = (TraceHash ^ (ulong)next.AtTicks) * 0x9E3779B97F4A7C15;
        TraceHash = (hash ^ (hash >> 29)) + ((ulong)next.Order << 8) + (ulong)next.Kind + ((ulong)next.To.Index << 40) + ((ulong)next.To.Kind << 56);
        switch (next.Kind)
        {
            case EventKind.Tick:
                Tick();
                break;
            case EventKind.RunStart when IsFinished:
                // All had been done before its operator came.
                break;
            case EventKind.RunStart:
                StartRun();
                break;
            case EventKind.Channel:
                ((Action)next.Body!)();
                break;
            case EventKind.NodeStart:
                StartNode(Nodes[next.To.Index]);
                break;
            default:
                Act(next);
                break;
        }
    }

    private void Act(in Event next)
    {
        var actor = next.Host switch
        {
            SimulatedActor host => host,
            ShardSeat seat => seat.IsStopping ? null : seat.Actor,
            CoordinatorPlace place => place.Actor,
            _ => WorkerAt(next.To.Index)?.Actor,
        };
        if (actor is not { IsAlive: true })
        {
            return;
        }

        if (actor.Node.PausedUntilTicks > NowTicks)
        {
            _queue.Add(actor.Node.PausedUntilTicks, next.Kind, next.To, next.Host, next.Body);
            return;
        }

        if (IsTracing)
        {
            Trace($"{actor.Address} on node {actor.Node.Index}: {next.Kind} {next.Body}");
        }

        switch (next.Kind)
        {
            case EventKind.Deliver when next.Body is Told told:
                actor.Take(told);
                break;
            case EventKind.Deliver:
                actor.Take((Input)next.Body!);
                break;
            case EventKind.Deadline:
                actor.PassDeadline(next.Body!);
                break;
            case EventKind.Write:
                ((CoordinatorHost)actor).Write((Cllm.Protocol.Identity.Step)next.Body!);
                break;
            case EventKind.WorkDone:
                FinishWork(actor, next.Body!);
                break;
        }
    }

    private void Tick()
    {
        Plan(Scenario.Second, EventKind.Tick, default, null, null);
        foreach (var checker in _checkers)
        {
            checker.Tick(this);
        }

        if (IsFinished)
        {
            // What was sent or begun before the end arrives or ends within this time.
            _isDrained = NowTicks - _finishedAtTicks > (IsAnythingLeft() ? DrainTicksMax : DrainTicksMin);
            return;
        }

        if (IsFaulty && NowTicks >= Scenario.HealAtTicks)
        {
            Heal();
        }

        if (IsFaulty)
        {
            InjectFaults();
        }

        WatchMembers();
        Leave();
        EndProcesses();
        if (!IsFaulty && Leader is { IsAlive: true, Machine.Phase: CoordinatorPhase.Paused } leader)
        {
            leader.Feed(new ResumeRequested());
        }
    }

    private void EndProcesses()
    {
        foreach (var node in Nodes)
        {
            if (node.EndsAtTicks <= NowTicks)
            {
                Crash(node);
            }
        }
    }

    private bool IsAnythingLeft() =>
        Workers.Exists(seat => seat.Actor is { Machine.Waiting: > 0 }) || Array.Exists(Nodes, node => node.IsUp && node.PausedUntilTicks > NowTicks);

    private void Heal()
    {
        HealedAtTicks = NowTicks;
        Network.Heal();
        foreach (var node in Nodes)
        {
            (node.Slowness, node.EffectsLeft, node.StuttersUntilTicks) = (1, -1, 0);
        }

        if (IsTracing)
        {
            Trace("the faults are over");
        }
    }
}
