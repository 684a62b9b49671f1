using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Tree;
using Cllm.Protocol.Workers;

namespace Cllm.Tests.Protocol;

/// <summary>
/// How much goes wrong in a <see cref="RandomSchedule"/>, in chances per action of one in a thousand, until the given number of actions is
/// over.
/// </summary>
internal sealed record Trouble(int Doubled, int Lost, int Restarts, int Members, int Actions)
{
    public static Trouble None { get; } = new(0, 0, 0, 0, 0);

    /// <summary>Chances that the coordinator is lost and has a successor.</summary>
    public int Coordinators { get; init; }
}

/// <summary>
/// A run of the machines with messages delivered and work finished in an order drawn from a seed. Gradients are hashes added in the tree,
/// so that a leaf
/// that is lost, doubled or misplaced changes the final state; a slice lives beside its shard's machine and survives it, half updated if
/// it was at that.
/// </summary>
internal sealed class RandomSchedule
{
    private readonly Random _random;
    private readonly Trouble _trouble;
    private readonly CoordinatorSettings _settings;
    private readonly LeafTree _tree;
    private readonly EffectList _effects = new();
    private readonly Dictionary<int, WorkerHost> _workers = [];
    private readonly ShardHost[] _shards;
    private readonly List<(Destination To, Input Message)> _network = [];
    private readonly List<(Destination At, object Host, Effect Work)> _work = [];
    private readonly List<Step> _reported = [];
    private (long Step, ulong[] Slices) _saved;
    private readonly HashSet<(Epoch Epoch, Step Step, LeafNode Node)> _leased = [];
    private Coordinator _coordinator;
    private (Epoch Epoch, Step Step) _persisted;
    private long _deadlineTicks = long.MaxValue;
    private long _nowTicks;
    private int _actions;

    /// <summary>The next new worker: a number is never given again.</summary>
    private int _newcomer;

    public RandomSchedule(int seed, CoordinatorSettings settings, Trouble trouble)
    {
        (_random, _trouble, _settings) = (new(seed), trouble, settings);
        _tree = new(settings.Leaves);
        _coordinator = new(settings);
        _shards = [.. Enumerable.Range(0, settings.Shards).Select(shard => new ShardHost((ulong)shard + 1))];
        _newcomer = settings.WorkersToStart;
        _saved = (0, [.. _shards.Select(shard => shard.Slice)]);
    }

    public RunEnded? End { get; private set; }

    /// <summary>The slices at the end, in shard order.</summary>
    public string Digest => string.Join('-', _shards.Select(shard => shard.Slice.ToString("x16")));

    public IReadOnlyList<Step> Reported => _reported;

    /// <summary>Leaves leased once more in the same attempt, orders sent again included.</summary>
    public int LeasedAgain { get; private set; }

    public int LeasesOutstanding => _coordinator.LeasesOutstanding;

    public int LeasesWaiting => _workers.Values.Sum(worker => worker.Machine.Waiting);

    /// <summary>Runs to the end.</summary>
    public void Run(int actionsMax = 200_000)
    {
        for (var shard = 0; shard < _shards.Length; shard++)
        {
            RestartShard(shard);
        }

        for (var worker = 0; worker < _settings.WorkersToStart; worker++)
        {
            RestartWorker(worker);
        }

        while (_network.Count + _work.Count > 0 || (End is null && _deadlineTicks < long.MaxValue))
        {
            Assert.True(++_actions < actionsMax,
                $"no end after {_actions} actions, in phase {_coordinator.Phase} at step {_coordinator.Fence.Step}");
            _nowTicks++;
            Act();
        }

        Assert.True(End is not null, $"stands still in phase {_coordinator.Phase} at step {_coordinator.Fence.Step}");
    }

    private void Act()
    {
        if (_nowTicks >= _deadlineTicks || _network.Count + _work.Count == 0)
        {
            _nowTicks = Math.Max(_nowTicks, _deadlineTicks);
            _deadlineTicks = long.MaxValue;
            Feed(Destination.Coordinator, _coordinator, new DeadlinePassed());
        }
        else if (IsTrouble(_trouble.Restarts))
        {
            Break();
        }
        else if (IsTrouble(_trouble.Coordinators) && _persisted.Epoch.Number > 0 && End is null)
        {
            SucceedCoordinator();
        }
        else if (IsTrouble(_trouble.Members))
        {
            ChangeMembers();
        }
        else if (_random.Next(_network.Count + _work.Count) < _network.Count)
        {
            Deliver();
        }
        else
        {
            var at = _random.Next(_work.Count);
            var (destination, host, work) = _work[at];
            _work.RemoveAt(at);
            Finish(destination, host, work);
        }
    }

    private bool IsTrouble(int chance) => _actions < _trouble.Actions && _random.Next(1000) < chance;

    private void Deliver()
    {
        var at = _random.Next(_network.Count);
        var (to, message) = _network[at];
        if (!IsTrouble(_trouble.Doubled))
        {
            _network.RemoveAt(at);
        }

        // Announcements get through in the end: who sends them is told nothing until they do.
        if (message is StepInput && IsTrouble(_trouble.Lost))
        {
            return;
        }

        if (to.Kind == DestinationKind.Coordinator)
        {
            Feed(to, _coordinator, message);
        }
        else if (to.Kind == DestinationKind.Shard)
        {
            Feed(to, _shards[to.Index].Machine, message);
        }
        else if (_workers.TryGetValue(to.Index, out var worker))
        {
            Feed(to, worker.Machine, message);
        }
    }

    private void Break()
    {
        if (_random.Next(2) == 0)
        {
            RestartWorker(_workers.Keys.ElementAt(_random.Next(_workers.Count)));
        }
        else
        {
            RestartShard(_random.Next(_shards.Length));
        }
    }

    private void ChangeMembers()
    {
        if (_random.Next(2) == 0 && _workers.Count < 12)
        {
            RestartWorker(_newcomer++);
        }
        else if (_coordinator.Phase != CoordinatorPhase.Assembling && _workers.Values.Count(worker => !worker.IsLeaving) > 1)
        {
            var (number, worker) = _workers.ElementAt(_random.Next(_workers.Count));
            worker.IsLeaving = true;
            Feed(Destination.Of(new WorkerId(number)), worker.Machine, new LeaveRequested());
        }
    }

    /// <summary>The coordinator is lost with whatever it was doing; its successor knows what was persisted, and the members stay.</summary>
    private void SucceedCoordinator()
    {
        _work.RemoveAll(work => work.Host == _coordinator && work.Work is not Writing);
        _deadlineTicks = long.MaxValue;
        _coordinator = new(_settings with { FirstEpoch = _persisted.Epoch.Next, IsSuccessor = true, FirstStep = _persisted.Step, LastCheckpoint = new(_saved.Step), WorkersToStart = 1 });
        Feed(Destination.Coordinator, _coordinator, new MachineStarted());
    }

    private void RestartWorker(int number)
    {
        var to = Destination.Of(new WorkerId(number));
        var incarnation = 1L;
        if (_workers.TryGetValue(number, out var old))
        {
            incarnation = old.Incarnation + 1;
            _work.RemoveAll(work => work.Host == old);
            if (_random.Next(2) == 0)
            {
                _network.Add((Destination.Coordinator, new WorkerLost(new(number), new(old.Incarnation), "broken by the schedule")));
            }
        }

        var machine = new Worker(new() { Worker = new(number), Incarnation = new(incarnation) });
        _workers[number] = new(machine, incarnation);
        Feed(to, machine, new MachineStarted());
    }

    private void RestartShard(int number)
    {
        var host = _shards[number];
        if (host.Incarnation > 0 && _random.Next(2) == 0)
        {
            _network.Add((Destination.Coordinator, new ShardLost(new(number), new(host.Incarnation), "broken by the schedule")));
        }

        _work.RemoveAll(work => work.Host == host);
        host.Incarnation++;
        host.Machine = new(new() { Shard = new(number), Incarnation = new(host.Incarnation),
            Slice = host.Step is { } step ? new(step) : null });
        Feed(Destination.Of(new ShardIndex(number)), host.Machine, new MachineStarted());
    }

    private void Feed(Destination at, IMachine machine, Input input)
    {
        _effects.Clear();
        machine.Handle(_nowTicks, input, _effects);
        foreach (var effect in _effects.Effects.ToArray())
        {
            Perform(at, effect);
        }
    }

    private void Perform(Destination at, Effect effect)
    {
        switch (effect)
        {
            case Send { To.Kind: DestinationKind.EveryShard } send:
                _network.AddRange(_shards.Select((_, shard) => (Destination.Of(new ShardIndex(shard)), send.Message)));
                break;
            case Send { To.Kind: DestinationKind.EveryWorker } send:
                _network.AddRange(_workers.Keys.Select(worker => (Destination.Of(new WorkerId(worker)), send.Message)));
                break;
            case Persist state:
                Assert.True(state.Epoch.Number >= _persisted.Epoch.Number);
                _persisted = (state.Epoch, state.Step);
                break;
            case Send { To.Kind: DestinationKind.EveryNode }:
                break;
            case Send send:
                if (send.Message is LeafLeased lease && !_leased.Add((lease.Epoch, lease.Step, lease.Node)))
                {
                    LeasedAgain++;
                }

                CheckCover(send.Message);
                _network.Add((send.To, send.Message));
                break;
            case DeadlineSet deadline:
                _deadlineTicks = deadline.AtTicks;
                break;
            case StepReported report:
                _reported.Add(report.Step);
                break;
            case RunEnded end:
                Assert.Null(End);
                End = end;
                _deadlineTicks = long.MaxValue;
                break;
            case WorkerLeft:
                _workers.Remove(at.Index);
                break;
            case ReleaseBuffers:
                _workers[at.Index].Buffers.Clear();
                break;
            case ExpectGradients:
                break;
            case UpdateSlice update:
                _shards[at.Index].Step = null;
                _work.Add((at, _shards[at.Index], update));
                break;
            case Work work:
                _work.Add((at, at.Kind switch
                {
                    DestinationKind.Worker => _workers[at.Index],
                    DestinationKind.Shard => _shards[at.Index],
                    _ => _coordinator,
                }, work));
                break;
        }
    }

    private void CheckCover(Input message)
    {
        if (message is ReductionOrdered order)
        {
            var leaves = order.Sources.SelectMany(source => Enumerable.Range(LeafTree.First(source.Node), _tree.Count(source.Node)));
            Assert.Equal(Enumerable.Range(0, _tree.Leaves), leaves);
        }
    }

    private void Finish(Destination at, object host, Effect work)
    {
        switch (work)
        {
            case ComputeNode compute:
                var worker = (WorkerHost)host;
                var buffer = worker.Buffers.Count;
                worker.Buffers.Add((compute.Lease, Sum(compute.Node, leaf => Hash(compute.Step.Number, leaf, Weights()))));
                var losses = Enumerable.Range(LeafTree.First(compute.Node), _tree.Count(compute.Node)).Select(
                    leaf => (long)Hash(leaf, 7, Weights()));
                Feed(at, worker.Machine, new NodeComputed(compute.Lease, buffer, Payload.Of([.. losses])));
                break;
            case EvaluateUnits units:
                var found = Enumerable.Range(units.First, units.Count).Select(unit => (long)Hash(unit, 11, Weights()));
                Feed(at, ((WorkerHost)host).Machine, new UnitsEvaluated(units.Lease, Payload.Of([.. found])));
                break;
            case ReduceSlice reduce when Reduced(at.Index, reduce.Sources) is { } sum:
                Feed(at, ((ShardHost)host).Machine, new SliceReduced(reduce.Epoch, reduce.Step, Payload.Of([(long)sum])));
                break;
            case UpdateSlice update when Reduced(at.Index, update.Sources) is { } sum:
                var shard = (ShardHost)host;
                shard.Slice = Hash((long)shard.Slice, (long)sum, (ulong)update.Payload.Words[0]);
                shard.Step = update.Step.Number + 1;
                Feed(at, shard.Machine, new SliceUpdated(update.Epoch, update.Step));
                break;
            case ReduceSlice or UpdateSlice:
                RestartShard(at.Index);
                break;
            default:
                FinishForCoordinator(work);
                break;
        }
    }

    private void FinishForCoordinator(Effect work)
    {
        switch (work)
        {
            case CombineStatistics combine:
                var scalars = Payload.Of([(long)Fold(combine.Leaves, Fold(combine.Shards, 3))]);
                Feed(default, _coordinator, new StatisticsCombined(combine.Epoch, combine.Step, scalars));
                break;
            case CombineEvaluation combine:
                Assert.Equal(_settings.EvaluationUnits, combine.Units.Words.Length);
                Feed(default, _coordinator,
                    new EvaluationCombined(combine.Epoch, combine.Step, Payload.Of([(long)Fold(combine.Units, 5)])));
                break;
            case TakeCheckpoint take:
                Assert.All(_shards, shard => Assert.Equal(take.Step.Number, shard.Step));
                _work.Add((default, _coordinator, new Writing(take.Step, [.. _shards.Select(shard => shard.Slice)])));
                Feed(default, _coordinator, new SnapshotTaken(take.Epoch, take.Step));
                break;
            case Writing writing when writing.Step.Number < _settings.Steps && IsTrouble(_trouble.Lost):
                Feed(default, _coordinator, new CheckpointFailed(writing.Step, "broken by the schedule"));
                break;
            case Writing writing:
                _saved = (writing.Step.Number, writing.Slices);
                Feed(default, _coordinator, new CheckpointWritten(writing.Step, "digest"));
                break;
            case Restore restore:
                Assert.DoesNotContain(_work, other => other.Work is UpdateSlice);
                for (var shard = 0; shard < _shards.Length; shard++)
                {
                    (_shards[shard].Slice, _shards[shard].Step) = (_saved.Slices[shard], _saved.Step);
                    Feed(Destination.Of(new ShardIndex(shard)), _shards[shard].Machine, new SliceRestored(restore.Epoch, new(_saved.Step)));
                }

                Feed(default, _coordinator, new Restored(restore.Epoch, new(_saved.Step)));
                break;
        }
    }

    /// <summary>A shard's sum of the sources, in tree order; none when a buffer is gone.</summary>
    private ulong? Reduced(int shard, ReductionSource[] sources)
    {
        var sums = new Dictionary<LeafNode, ulong>();
        foreach (var source in sources)
        {
            if (!_workers.TryGetValue(source.Worker.Number, out var worker)
                || source.Buffer.Number >= worker.Buffers.Count
                || worker.Buffers[source.Buffer.Number].Lease != source.Buffer.Lease)
            {
                return null;
            }

            sums[source.Node] = worker.Buffers[source.Buffer.Number].Sum;
        }

        return Hash(shard, 13, Total(_tree.Lowest(new(_tree.RootLevel, 0))));

        ulong Total(LeafNode node)
        {
            if (sums.TryGetValue(node, out var sum))
            {
                return sum;
            }

            var (left, right) = _tree.Children(node);
            return Add(Total(left), Total(right));
        }
    }

    private ulong Sum(LeafNode node, Func<int, ulong> gradient)
    {
        if (node.Level == 0)
        {
            return gradient(node.Index);
        }

        var (left, right) = _tree.Children(node);
        return Add(Sum(left, gradient), Sum(right, gradient));
    }

    private ulong Weights() => _shards.Aggregate(17UL, (sum, shard) => Hash((long)sum, 1, shard.Slice));

    private static ulong Fold(Payload payload, ulong start)
    {
        foreach (var word in payload.Words)
        {
            start = Hash(word, 2, start);
        }

        return start;
    }

    /// <summary>Neither commutative nor associative, so that order and shape of the tree show.</summary>
    private static ulong Add(ulong left, ulong right) => Hash((long)left, 19, right);

    private static ulong Hash(long first, long second, ulong third)
    {
        var hash = ((ulong)first * 0x9E3779B97F4A7C15) ^ ((ulong)second * 0xC2B2AE3D27D4EB4F) ^ (third * 0x165667B19E3779F9);
        hash = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9;
        return hash ^ (hash >> 32);
    }

    private sealed record Writing(Step Step, ulong[] Slices) : Effect
    {
        internal override int Rank => 2;
    }

    private sealed class WorkerHost(Worker machine, long incarnation)
    {
        public Worker Machine => machine;

        public long Incarnation => incarnation;

        public bool IsLeaving { get; set; }

        public List<(LeaseId Lease, ulong Sum)> Buffers { get; } = [];
    }

    private sealed class ShardHost(ulong slice)
    {
        public Shard Machine { get; set; } = null!;

        public long Incarnation { get; set; }

        public ulong Slice { get; set; } = slice;

        /// <summary>The step the slice stands at; none while it is half updated.</summary>
        public long? Step { get; set; } = 0;
    }
}
