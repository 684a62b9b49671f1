using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Cluster;
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

    /// <summary>Between two looks at whether a checkpoint is being written yet.</summary>
    private const long WritingTicks = Scenario.Second / 10;

    private readonly SortedSet<int> _workers;

    /// <summary>Where each shard is: its newest incarnation, as far as it has announced itself.</summary>
    private readonly SortedDictionary<int, (long Incarnation, ShardSeat Seat)> _shards;

    /// <summary>What its process shares with it; none in a run of one process.</summary>
    private readonly NodeRun? _run;
    private readonly CoordinatorPlace _place;
    private readonly SimulatedRef _self;
    private readonly ClusterPlaces? _places;
    private readonly CheckpointGathering? _gathering;

    /// <summary>The epoch of the newest restore.</summary>
    private Epoch _restoredIn;

    /// <param name="cluster">The cluster.</param>
    /// <param name="node">Where it is.</param>
    /// <param name="number">Its number among the coordinators of this simulation.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="settings">What the machine was made with.</param>
    /// <param name="former">The one that failed in the same process, whose place and acquaintances it takes over; none most of the time.</param>
    public CoordinatorHost(
        SimulatedCluster cluster, SimulatedNode node, int number, Coordinator machine, CoordinatorSettings settings, CoordinatorHost? former)
        : base(cluster, node, machine)
    {
        (Number, Machine, Settings, _run) = (number, machine, settings, node.Process!.Shared);
        PersistedStep = former?.PersistedStep;
        CheckpointedSteps = (settings.LastCheckpoint ?? settings.FirstStep).Number;
        (_place, _workers, _shards, Nodes) = former is null ? (new(), [], [], []) : (former._place, former._workers, former._shards, former.Nodes);
        _place.Actor = this;
        _self = new(cluster, node, Address, _place);
        _places = _run is null ? null : new(_run, Read, _self);
        _gathering = _run is null ? null : new(_run, () => machine.IsGoingBack, step => Node.Process!.Host.TakeSnapshot(step.Number), _self);
    }

    public CoordinatorSettings Settings { get; }

    /// <summary>Its number among the coordinators of this simulation.</summary>
    public int Number { get; }

    public Coordinator Machine { get; }

    /// <summary>The step that it persisted last, or the one before it in this process; none before the first.</summary>
    public Step? PersistedStep { get; private set; }

    /// <summary>The step of the newest checkpoint that it knows of.</summary>
    public long CheckpointedSteps { get; private set; }

    /// <summary>Nodes whose members have announced themselves to it.</summary>
    public HashSet<NodeId> Nodes { get; }

    /// <summary>Whether it is the cluster's choice.</summary>
    public bool IsLeader => Cluster.Leader == this;

    /// <summary>Whether it may read and write checkpoints: of those that share a disk only the cluster's choice may.</summary>
    private bool MayAct => IsLeader || Cluster.Scenario.HasOwnDisks;

    /// <summary>Whether the slice of a shard counts that is at a node, but for one that another process took over and died before its word of that had arrived.</summary>
    public bool Owns(NodeId node) => Array.Exists(Cluster.Owners, seat => seat is { Actor: not null } && seat.Node.Id == node
        && (Machine.View(NowTicks).Shards[seat.Number].Owner is not { } owner || owner == node || Array.Exists(Cluster.Nodes, other => other.Id == owner && other.IsUp)));

    /// <summary>Whether a worker had announced itself to it when the run ended.</summary>
    public bool Knows(int worker) => _workers.Contains(worker);

    /// <summary>Where a shard is, as far as it has announced itself.</summary>
    public ShardSeat? SeatOf(int shard) => _shards.TryGetValue(shard, out var place) ? place.Seat : null;

    public override Destination Address => Destination.Coordinator;

    /// <summary>Takes a message that has come over the network or from its own host.</summary>
    public override void Take(Input message)
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
                Locate(joining.Node);
                break;
            case NodeLost lost when _places is not null:
                _workers.RemoveWhere(worker => NodeNumbers.NodeOf(new(worker)) == lost.Node);
                FeedIf(_places.Forget(lost.Node));
                break;
            case ShardReduced reduced:
                message = Mutate(reduced);
                break;
        }

        Feed(message);
        TellDirectoryIfDue();
    }

    /// <summary>Ends a piece of work.</summary>
    public void Finish(object work)
    {
        switch (work)
        {
            case CombineStatistics combine:
                Feed(new StatisticsCombined(combine.Epoch, combine.Step, Words.Of(
                    Node.Process!.Host.Combine(combine.Step.Number, Words.Numbers(combine.Leaves), Words.Numbers(combine.Shards)))));
                break;
            case CombineEvaluation combine:
                Feed(new EvaluationCombined(combine.Epoch, combine.Step, Words.Of(
                    [Node.Process!.Host.CombineEvaluation(combine.Step.Number, Words.Numbers(combine.Units))])));
                break;
            case TakeCheckpoint take:
                TakeSnapshot(take);
                break;
            case Restore restore:
                Feed(Cluster.Restore(Node.Process!, restore));
                break;
        }
    }

    /// <summary>Writes the copy of the state, with whatever goes wrong then. One that has a successor writes nothing any more.</summary>
    public void Write(Step step)
    {
        if (_place.Writing != step)
        {
            // Whoever was to write the next one has waited for it.
            return;
        }

        _place.Writing = null;
        if (WriteNow(step) is { } written)
        {
            Feed(written);
        }
    }

    private Input? WriteNow(Step step)
    {
        if (!Cluster.MayPersist(this, new(Machine.Fence.Epoch, step)))
        {
            IsAlive = false;
            return null;
        }

        try
        {
            Node.Disk.BeforeWrite();
            Node.Process!.Host.WriteSnapshot(step.Number);
            Node.Disk.AfterWrite(step.Number);
            return new CheckpointWritten(step, "");
        }
        catch (StorageException full)
        {
            Node.Disk.AfterFailure();
            return new CheckpointFailed(step, full.Message);
        }
        catch (PowerLostException)
        {
            Node.Disk.AfterDeath();
            Cluster.Crash(Node);
            return null;
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
                PersistedStep = state.Step;
                _places?.Change();
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
                CheckpointedSteps = report.Step.Number;
                Node.Disk.Reported(report.Step.Number);
                Cluster.Follow(Node, report.Step.Number);
                return null;
            case TakeCheckpoint or Restore when !MayAct:
                return effect is Restore late
                    ? new RestoreFailed(late.Epoch, "another coordinator has taken over")
                    : new CheckpointFailed(((TakeCheckpoint)effect).Step, "another coordinator has taken over");
            case TakeCheckpoint take when _run is not null:
                TellDirectoryIfDue();
                _gathering!.Begin(take);
                Cluster.AtTurn(Node);
                return null;
            case Restore restore when _run is not null:
                _restoredIn = restore.Epoch;
                Cluster.AtTurn(Node);
                _places!.Restoring.Begin(restore.Epoch);
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

    protected override void Take(object message, IActorRef sender)
    {
        switch (message)
        {
            case SlicesHeld when IsLeader && Cluster.Strikes(FaultKind.CoordinatorFailure):
                Cluster.RestartCoordinator(this);
                return;
            case SlicesHeld held when held.Epoch == _restoredIn:
                Cluster.Restores++;
                FeedIf(_places!.Restoring.Take(held, sender));
                break;
            case SlicesHeld or SliceIsRestored or RestoreOverdue:
                FeedIf(_places!.Restoring.Take(message, sender));
                break;
            case StateGathered when _place.Writing is not null && !Cluster.Scenario.IsMild:
                // The actor waits for what the one before it has left to be written.
                Cluster.Plan(WritingTicks, EventKind.Deliver, Address, this, new Told(message, sender));
                break;
            case StateDue or StateGathered when _gathering!.Take(message) is var (take, failure):
                TakeGathered(take, failure);
                break;
        }

        TellDirectoryIfDue();
    }

    /// <summary>The actor has failed; another one takes its place.</summary>
    public void Stop()
    {
        IsAlive = false;
        _places?.Restoring.Stop();
        _gathering?.Stop();
    }

    /// <summary>One that has a successor elsewhere has nobody to start it again.</summary>
    protected override void Fail()
    {
        if (IsLeader && Machine.Phase != CoordinatorPhase.Ended)
        {
            Cluster.RestartCoordinator(this);
        }
        else
        {
            Stop();
        }
    }

    private void Locate(NodeId node)
    {
        if (Array.Find(Cluster.Nodes, other => other.Id == node) is { Process.Shared: { } run, Machine.Ref: { } at })
        {
            _places?.Add(new(node, at.Name, run.Channel.Address), at);
        }
    }

    private void Locate(ShardStarted started)
    {
        var shard = started.Shard.Number;
        if (Cluster.SeatOf(shard, started.Node) is not { } seat || _places?.Locate(started, seat.Ref) == false)
        {
            return;
        }

        var isKnown = _shards.TryGetValue(shard, out var known);
        SimulationViolation.Unless(!isKnown || known.Incarnation != started.Incarnation.Number || known.Seat.Node == seat.Node,
            "incarnations", $"shard {shard} is at nodes {known.Seat?.Node.Id} and {started.Node} as incarnation {started.Incarnation}");
        if (_run is not null || !isKnown || known.Incarnation <= started.Incarnation.Number)
        {
            _shards[shard] = (started.Incarnation.Number, seat);
            if (Cluster.Leader == this)
            {
                Cluster.Adopt(seat);
            }
        }
    }

    private long Read() => Node.Disk.Read(Node.Process!.Host.Restore);

    private void FeedIf(Input? result)
    {
        if (result is not null)
        {
            Feed(result);
        }
    }

    private void TellDirectoryIfDue()
    {
        if (_places is { IsChanged: true } && IsAlive)
        {
            _places.TellAll(Machine.Fence.Epoch, null);
        }
    }

    private void TakeGathered(TakeCheckpoint take, string? failure)
    {
        failure ??= MayAct ? null : "another coordinator has taken over";
        if (failure is null)
        {
            WriteCopy(take);
        }
        else
        {
            Feed(new CheckpointFailed(take.Step, failure));
        }
    }

    private void TakeSnapshot(TakeCheckpoint take)
    {
        // The actor waits for what the one before it has left to be written, and takes nothing meanwhile.
        var left = _place.Writing is { } writing && !Cluster.Scenario.IsMild ? WriteNow(writing) : null;
        if (!IsAlive)
        {
            return;
        }

        Node.Process!.Host.TakeSnapshot(take.Step.Number);
        WriteCopy(take);
        if (left is not null)
        {
            Feed(left);
        }
    }

    private void WriteCopy(TakeCheckpoint take)
    {
        _place.Writing = take.Step;
        var ticks = Cluster.Jitter(Scenario.Second / 2) + (Cluster.Strikes(FaultKind.SlowDisk) ? Cluster.Jitter(100 * Scenario.Second) : 0);
        Cluster.Plan(ticks, EventKind.Write, Address, Cluster.Scenario.IsMild ? this : _place, take.Step);
        Feed(new SnapshotTaken(take.Epoch, take.Step));
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
                if (send.Message is NodeAdmitted)
                {
                    node.Machine?.Ref.Tell(_places!.Directory(Machine.Fence.Epoch, null), _self);
                }

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
