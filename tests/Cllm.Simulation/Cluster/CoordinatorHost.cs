using Cllm.Actors;
using Cllm.Model.Files;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;
using Cllm.Tests.Checkpoints;

namespace Cllm.Simulation.Cluster;

/// <summary>What a coordinator's actor does, in virtual time. Several may be alive at once: only one of them is the cluster's choice.</summary>
internal sealed class CoordinatorHost : SimulatedActor
{
    private const long CombineTicks = Scenario.Second / 1000;

    private readonly SortedSet<int> _workers = [];

    /// <summary>Where each shard is: its newest incarnation, as far as it has announced itself.</summary>
    private readonly SortedDictionary<int, (long Incarnation, ShardSeat Seat)> _shards = [];

    /// <summary>The checkpoint whose state was asked for last.</summary>
    private TakeCheckpoint? _gathering;

    public CoordinatorHost(SimulatedCluster cluster, SimulatedNode node, int number, Coordinator machine, CoordinatorSettings settings)
        : base(cluster, node, machine) => (Number, Machine, Settings) = (number, machine, settings);

    public CoordinatorSettings Settings { get; }

    /// <summary>Its number among the coordinators of this simulation.</summary>
    public int Number { get; }

    public Coordinator Machine { get; }

    /// <summary>Nodes whose members have announced themselves to it.</summary>
    public HashSet<NodeId> Nodes { get; } = [];

    /// <summary>Whether it is the cluster's choice.</summary>
    public bool IsLeader => Cluster.Leader == this;

    /// <summary>Whether the slice of a shard counts that is at a node, but for one that another process took over and died before its word of that had arrived.</summary>
    public bool Owns(NodeId node) => Array.Exists(Cluster.Owners, seat => seat is { Actor: not null } && seat.Node.Id == node
        && (Machine.View(NowTicks).Shards[seat.Number].Owner is not { } owner || owner == node || Array.Exists(Cluster.Nodes, other => other.Id == owner && other.IsUp)));

    /// <summary>Whether a worker had announced itself to it when the run ended.</summary>
    public bool Knows(int worker) => _workers.Contains(worker);

    /// <summary>Where a shard is, as far as it has announced itself.</summary>
    public ShardSeat? SeatOf(int shard) => _shards.TryGetValue(shard, out var place) ? place.Seat : null;

    public override Destination Address => Destination.Coordinator;

    /// <summary>Takes over whom another one in the same process knew.</summary>
    public void Succeed(CoordinatorHost former)
    {
        _workers.UnionWith(former._workers);
        Nodes.UnionWith(former.Nodes);
        foreach (var (shard, place) in former._shards)
        {
            _shards[shard] = place;
        }
    }

    /// <summary>Takes a message that has come over the network or from its own host.</summary>
    public void Take(Input message)
    {
        switch (message)
        {
            case WorkerStarted started when Machine.Phase != CoordinatorPhase.Ended:
                _workers.Add(started.Worker.Number);
                Nodes.Add(started.Node);
                break;
            case ShardStarted started:
                Locate(started);
                Nodes.Add(started.Node);
                break;
            case NodeJoining joining:
                Nodes.Add(joining.Node);
                break;
            case ShardReduced reduced:
                message = Mutate(reduced);
                break;
        }

        Feed(message);
    }

    /// <summary>Ends a piece of work.</summary>
    public void Finish(object work)
    {
        switch (work)
        {
            case CombineStatistics combine:
                Feed(new StatisticsCombined(combine.Epoch, combine.Step, Words.Of(
                    Cluster.Arithmetic.Host.Combine(combine.Step.Number, Words.Numbers(combine.Leaves), Words.Numbers(combine.Shards)))));
                break;
            case CombineEvaluation combine:
                Feed(new EvaluationCombined(combine.Epoch, combine.Step, Words.Of(
                    [Cluster.Arithmetic.Host.CombineEvaluation(combine.Step.Number, Words.Numbers(combine.Units))])));
                break;
            case TakeCheckpoint take:
                Snapshot(take);
                break;
            case Restore restore:
                if (Cluster.RestoreSlices(this, restore) is { } restored)
                {
                    Feed(restored);
                }
                else
                {
                    Work(Scenario.Second, restore);
                }

                break;
        }
    }

    /// <summary>Writes the copy of the state, with whatever goes wrong then.</summary>
    public void Write(Step step)
    {
        try
        {
            Cluster.Disk.BeforeWrite();
            Cluster.Arithmetic.Host.WriteSnapshot(step.Number);
            Cluster.Disk.AfterWrite(step.Number);
            Feed(new CheckpointWritten(step, ""));
        }
        catch (StorageException full)
        {
            Cluster.Disk.AfterFailure();
            Feed(new CheckpointFailed(step, full.Message));
        }
        catch (PowerLostException)
        {
            Cluster.Disk.AfterDeath();
            Cluster.Crash(Node);
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Send(send);
                return null;
            case Persist state:
                if (!Cluster.MayPersist(this, state))
                {
                    throw new Deposed();
                }

                Cluster.Persist(this, state);
                return null;
            case DeadlineSet deadline:
                if (Cluster.Scenario.Plant != PlantedFault.DeadlineNeverArmed)
                {
                    SetDeadline(deadline);
                }

                return null;
            case StepReported report:
                Cluster.Report(report);
                return null;
            case CheckpointReported report:
                Cluster.Disk.Reported(report.Step.Number);
                return null;
            case TakeCheckpoint or Restore:
                return Work(Cluster.Jitter(20 * CombineTicks), effect);
            case Work work:
                return Work(CombineTicks, work);
            case RunEnded end:
                Cluster.End(this, end);
                return null;
            default:
                return null;
        }
    }

    private void Locate(ShardStarted started)
    {
        var shard = started.Shard.Number;
        if (Cluster.SeatOf(shard, started.Node) is not { } seat)
        {
            return;
        }

        var isKnown = _shards.TryGetValue(shard, out var known);
        SimulationViolation.Unless(!isKnown || known.Incarnation != started.Incarnation.Number || known.Seat.Node == seat.Node,
            "incarnations", $"shard {shard} is at nodes {known.Seat?.Node.Id} and {started.Node} as incarnation {started.Incarnation}");
        if (!isKnown || known.Incarnation <= started.Incarnation.Number)
        {
            _shards[shard] = (started.Incarnation.Number, seat);
            if (Cluster.Leader == this)
            {
                Cluster.Adopt(seat);
            }
        }
    }

    private void Snapshot(TakeCheckpoint take)
    {
        if (Cluster.ReasonAgainstSnapshot(this, take.Step.Number) is { } reason)
        {
            Feed(new CheckpointFailed(take.Step, reason));
            return;
        }

        _gathering = take;
        if (!Cluster.IsCluster)
        {
            TakeSnapshot(take, null);
            return;
        }

        Cluster.Gather(this, take.Step.Number, (slices, failure) =>
        {
            if (_gathering != take || !IsAlive)
            {
                return;
            }

            if (slices is null || !IsLeader)
            {
                Feed(new CheckpointFailed(take.Step, slices is null ? failure : "another coordinator has taken over"));
            }
            else
            {
                TakeSnapshot(take, slices);
            }
        });
    }

    /// <param name="take">The order.</param>
    /// <param name="slices">The slices as they were fetched; none where they are all in this process.</param>
    private void TakeSnapshot(TakeCheckpoint take, object[]? slices)
    {
        var (arithmetic, version) = (Cluster.Arithmetic, Cluster.Arithmetic.Version);
        object[] kept = [.. Enumerable.Range(0, slices?.Length ?? 0).Select(arithmetic.Save)];
        Load(slices ?? []);
        arithmetic.Host.TakeSnapshot(take.Step.Number);
        Load(kept);
        arithmetic.Version = version;
        Cluster.Plan(Cluster.Jitter(Scenario.Second / 2), EventKind.Write, Address, this, take.Step);
        Feed(new SnapshotTaken(take.Epoch, take.Step));
    }

    private void Load(object[] slices)
    {
        for (var shard = 0; shard < slices.Length; shard++)
        {
            Cluster.Arithmetic.Load(shard, slices[shard]);
        }
    }

    private void Send(Send send)
    {
        Cluster.Sent(this, send.Message);
        switch (send.To.Kind)
        {
            case DestinationKind.EveryWorker:
                foreach (var worker in _workers)
                {
                    Cluster.SendTo(this, Destination.Of(new WorkerId(worker)), send.Message);
                }

                break;
            case DestinationKind.EveryShard:
                foreach (var (_, seat) in _shards.Values)
                {
                    Cluster.SendTo(this, seat, send.Message);
                }

                break;
            case DestinationKind.EveryNode:
                foreach (var node in Cluster.Nodes)
                {
                    Cluster.SendTo(this, node, send.Message);
                }

                break;
            case DestinationKind.Node when Array.Find(Cluster.Nodes, node => node.Id.Number == send.To.Index) is { } node:
                Cluster.SendTo(this, node, send.Message);
                break;
            case DestinationKind.Shard when _shards.TryGetValue(send.To.Index, out var shard):
                Cluster.SendTo(this, shard.Seat, send.Message);
                break;
            case DestinationKind.Node or DestinationKind.Shard:
                break;
            default:
                Cluster.SendTo(this, send.To, send.Message);
                break;
        }
    }

    private ShardReduced Mutate(ShardReduced reduced)
    {
        switch (Cluster.Scenario.Plant)
        {
            case PlantedFault.StaleAnswerAccepted:
                return reduced with { Epoch = Machine.Fence.Epoch, Step = Machine.Fence.Step };
            case PlantedFault.CommitBeforeAllReduced:
                for (var shard = 0; shard < Cluster.ShardCount; shard++)
                {
                    if (shard != reduced.Shard.Number)
                    {
                        Feed(reduced with { Shard = new(shard) });
                    }
                }

                return reduced;
            default:
                return reduced;
        }
    }
}
