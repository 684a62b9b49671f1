using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>Who runs where: processes that start and die, the membership's view of them, and the coordinator of the day.</content>
internal sealed partial class SimulatedCluster
{
    /// <summary>Seconds of silence after which a node that may still run is struck off.</summary>
    private const int SilenceMax = 8;

    private static readonly RunIdentity Identity = new("simulated", "none", RunIdentity.ProtocolVersion);

    private int _processes;

    /// <summary>Coordinators that have begun, and their hosts: the same number.</summary>
    private int _coordinators;
    private int _hosts;
    private int _leaderless;
    private bool _isRunStarting;
    private int _persistedBy = -1;

    /// <summary>The cluster's coordinator; others may still believe to be it. None when it has died and has no successor yet.</summary>
    public CoordinatorHost? Leader { get; private set; }

    /// <summary>The epoch persisted last.</summary>
    public Epoch PersistedEpoch { get; private set; }

    /// <summary>The step persisted last.</summary>
    public long PersistedStep { get; private set; }

    /// <summary>Persists a coordinator's state, unless a successor has: then it is no coordinator any more.</summary>
    public void Persist(CoordinatorHost coordinator, Persist state)
    {
        foreach (var checker in _checkers)
        {
            checker.Persisted(coordinator, state);
        }

        if (Scenario.HasOwnDisks && coordinator != Leader)
        {
            return;
        }

        _persistedBy = coordinator.Number;
        PersistedEpoch = Scenario.Plant == PlantedFault.EpochReused ? PersistedEpoch : state.Epoch;
        PersistedStep = state.Step.Number;
    }

    /// <summary>Whether a coordinator may persist: where a disk is shared, no other has persisted this epoch or a later one.</summary>
    public bool MayPersist(CoordinatorHost coordinator, Persist state) => Scenario.HasOwnDisks || state.Epoch.Number > PersistedEpoch.Number || (state.Epoch == PersistedEpoch && coordinator.Number == _persistedBy);

    /// <summary>A node's process dies, with all that it held in memory.</summary>
    public void Crash(SimulatedNode node)
    {
        if (!node.IsUp)
        {
            return;
        }

        if (IsTracing)
        {
            Trace($"node {node.Index} dies");
        }

        (node.IsUp, node.IsEvicted, node.EffectsLeft, node.Unreachable, node.Known) = (false, false, -1, 0, null);
        (node.PausedUntilTicks, node.EndsAtTicks) = (0, null);
        foreach (var seat in Workers)
        {
            if (seat.Node == node)
            {
                Kill(seat);
            }
        }

        foreach (var seat in node.Shards.Values)
        {
            Kill(seat);
            Owners[seat.Number] = Owners[seat.Number] == seat ? null : Owners[seat.Number];
        }

        node.Shards.Clear();
        node.Machine?.IsAlive = false;
        node.Machine?.Dispose();
        node.Machine = null;
        EndProcess(node);
        if (Leader?.Node == node)
        {
            Leader.IsAlive = false;
        }

        foreach (var deposed in _deposed)
        {
            deposed.IsAlive &= deposed.Node != node;
        }

        Plan(Dice.Between(Scenario.Second / 10, 30 * Scenario.Second), EventKind.NodeStart, new(default, node.Index), null, null);
    }

    /// <summary>The run has ended: well, or so that its operator starts it again.</summary>
    public void End(CoordinatorHost coordinator, RunEnded end)
    {
        if (coordinator != Leader)
        {
            return;
        }

        if (IsTracing)
        {
            Trace($"the run has ended: {end.Outcome} at step {end.Step}, {end.Reason}");
        }

        if (end.Outcome == RunOutcome.Finished)
        {
            (IsFinished, _finishedAtTicks) = (true, NowTicks);
            FinalDigest = Digest(Scenario.Steps) ?? (Read(coordinator.Node.Disk) is var (step, digest) && step == Scenario.Steps ? digest : null);
            if (IsFaulty)
            {
                Heal();
            }
        }
        else
        {
            SimulationViolation.Unless(IsFaulty || end.Outcome == RunOutcome.Stopped || Scenario.FailuresMax < int.MaxValue,
                "the run", $"failed after the faults were over: {end.Reason}");
            PlanRunStart();
        }
    }

    /// <summary>Everything is started again from the newest checkpoint, as a user would do it.</summary>
    private void PlanRunStart()
    {
        if (!_isRunStarting)
        {
            _isRunStarting = true;
            Plan(Dice.Between(Scenario.Second, 5 * Scenario.Second), EventKind.RunStart, default, null, null);
        }
    }

    private void StartRun()
    {
        _isRunStarting = false;
        foreach (var node in Nodes)
        {
            Crash(node);
        }

        var home = Scenario.HasOwnDisks ? ChooseHome() : null;
        var (step, digest) = Read((home ?? Nodes[0]).Disk);
        PersistedStep = step;
        if (IsTracing)
        {
            Trace($"the run starts from step {step}, digest {digest:x16}");
        }

        foreach (var node in Nodes)
        {
            StartProcess(node);
        }

        var first = home ?? Nodes[Dice.Below(Scenario.NodesToCoordinate)];
        if (first.Process is null)
        {
            PlanRunStart();
            return;
        }

        first.Process.Host.Restore();
        first.Process.Shared?.HoldFirstStep();
        Lead(first, 1 + Dice.Below(Math.Max(1, LiveWorkers() / 2)), isSuccessor: false);
        if (!IsCluster)
        {
            StartMembers(Nodes[0]);
        }
    }

    /// <summary>Whoever starts a run again does it where most of it is, as far as he knows.</summary>
    private SimulatedNode ChooseHome()
    {
        var home = Nodes[Dice.Below(Scenario.NodesToCoordinate)];
        if (Dice.Chance(0.7))
        {
            foreach (var node in Nodes.AsSpan(0, Scenario.NodesToCoordinate))
            {
                home = node.Disk.Newest > home.Disk.Newest ? node : home;
            }
        }

        return home;
    }

    /// <summary>What is found on a disk.</summary>
    private (long Step, ulong Digest) Read(SimulatedDisk disk)
    {
        using var reader = MakeArithmetic(disk.Checkpoints);
        var step = reader.Restore();
        disk.CheckFound(step);
        return (step, reader.Digest());
    }

    private void StartNode(SimulatedNode node)
    {
        if (node.IsUp)
        {
            return;
        }

        if (IsCluster)
        {
            StartProcess(node);
        }
        else
        {
            StartRun();
        }
    }

    /// <summary>A process is over. Its memory goes when nobody is amid something with it.</summary>
    private void EndProcess(SimulatedNode node)
    {
        var process = node.Process!;
        node.Process = null;
        if (process.Shared is { } shared)
        {
            Channel.Stop(shared.Channel.Address);
        }

        After(0, process.Dispose);
    }

    private void StartProcess(SimulatedNode node)
    {
        node.Id = new(_processes++);
        node.IsUp = true;
        node.Process = new(this, node, Identity, PersistedStep);
        if (IsCluster)
        {
            var number = NodeNumbers.FirstWorker(node.Id);
            foreach (var seat in Workers)
            {
                if (seat.Node == node)
                {
                    (seat.Number, seat.Incarnation) = (number++, 0);
                    if (!seat.HasLeft)
                    {
                        Make(seat);
                    }
                }
            }

            node.IsStranger = Strikes(FaultKind.Stranger);
            node.Machine = new(this, node, new(new() { Node = node.Id, Run = node.IsStranger ? Identity with { Configuration = "another" } : Identity }));
            node.Machine.Feed(new MachineStarted());
        }
    }

    /// <summary>A single process starts its shards with the state that it has read, and its workers.</summary>
    private void StartMembers(SimulatedNode node)
    {
        node.Known = Leader;
        for (var shard = 0; shard < ShardCount; shard++)
        {
            Owners[shard] = node.Shards[shard] = new(this, shard, node);
            Start(node.Shards[shard]);
        }

        foreach (var seat in Workers)
        {
            if (!seat.HasLeft)
            {
                Start(seat);
            }
        }
    }

    /// <summary>
    /// A coordinator begins. Its epochs come from its number, as in a cluster of the program, whatever its predecessors may have persisted; in half of the
    /// scenarios it learns the step from the shards as well, and else from a disk that all share. That disk also lets nobody persist who has a successor.
    /// </summary>
    private void Lead(SimulatedNode node, int workersToStart, bool isSuccessor)
    {
        if (Leader is { IsAlive: true } former)
        {
            _deposed.Add(former);
            former.Node.IsEvicted = true;
        }

        _coordinators += Scenario.Plant == PlantedFault.EpochReused ? 0 : 1;
        var isStepLearned = isSuccessor && Scenario.IsStepLearned;

        Begin(node, new()
        {
            Leaves = Scenario.Leaves,
            Steps = Scenario.Steps,
            Shards = ShardCount,
            WorkersToStart = Math.Min(workersToStart, Scenario.WorkersMax),
            NodesToStart = isSuccessor ? 0 : Scenario.NodesMin,
            NodesMin = Scenario.NodesMin,
            WorkersMax = Scenario.WorkersMax,
            FirstStep = new(isStepLearned ? Math.Min(node.Disk.Newest, Scenario.Steps) : PersistedStep),
            FirstEpoch = Epoch.FirstOf(_coordinators),
            IsSuccessor = isSuccessor,
            IsStepLearned = isStepLearned,
            EvaluationUnits = _reader.EvaluationUnits,
            EvaluateEvery = Scenario.EvaluateEvery,
            CheckpointEvery = Scenario.CheckpointEvery,
            FailuresMax = Scenario.FailuresMax,
            PatienceTicks = Scenario.PatienceTicks,
            Run = IsCluster ? Identity : null,
            AreGradientsFetched = IsCluster,
            LastCheckpoint = IsCluster && !isStepLearned ? new(Math.Min(node.Disk.Newest, PersistedStep)) : null,
        });
        if (IsCluster)
        {
            Leader!.Feed(new MachineStarted());
        }
    }

    private void Begin(SimulatedNode node, CoordinatorSettings settings, CoordinatorHost? former = null)
    {
        Leader = new(this, node, _hosts++, new(settings), settings, former);
        if (IsTracing)
        {
            Trace($"coordinator {Leader.Number} begins on node {node.Index} at step {settings.FirstStep} in epoch {settings.FirstEpoch}");
        }
    }

    /// <summary>The coordinator's actor has failed. Its process remembers what it persisted and whom it knew, and starts another one.</summary>
    public void RestartCoordinator(CoordinatorHost former)
    {
        former.Stop();
        if (!Scenario.IsMild && former.PersistedStep is null)
        {
            // Its process knows not yet where the run stands, and the run ends.
            PlanRunStart();
            return;
        }

        var step = Scenario.HasOwnDisks ? former.PersistedStep!.Value : new(PersistedStep);
        Begin(former.Node, former.Settings with
        {
            FirstEpoch = former.Machine.Fence.Epoch.Next,
            FirstStep = step,
            LastCheckpoint = new(Scenario.HasOwnDisks ? former.CheckpointedSteps : Math.Min(former.Node.Disk.Newest, step.Number)),
            WorkersToStart = 1,
            NodesToStart = 0,
            IsSuccessor = true,
            IsStepLearned = false,
        }, former);
        foreach (var node in Nodes)
        {
            node.Known = node.Known == former && node == former.Node ? Leader : node.Known;
        }

        Leader!.Feed(new MachineStarted());
    }

    /// <summary>Once a second: who is not there is struck off, a lost coordinator gets a successor, and who is new or was struck off hears of it.</summary>
    private void WatchMembers()
    {
        if (_isRunStarting)
        {
            return;
        }

        WatchLeader();
        if (Leader is not { IsAlive: true } leader || leader.Node.PausedUntilTicks > NowTicks)
        {
            return;
        }

        foreach (var node in Nodes)
        {
            if (node == leader.Node)
            {
                Meet(node, leader);
                continue;
            }

            var isReached = node.IsUp && node.PausedUntilTicks <= NowTicks && Network.Reaches(node, leader.Node);
            node.Unreachable = isReached ? 0 : node.Unreachable + 1;
            if (isReached && node.IsEvicted && (Scenario.IsQuarantined || _deposed.Exists(former => former.IsAlive && former.Node == node)))
            {
                Crash(node);
            }
            else if (isReached)
            {
                Meet(node, leader);
            }
            else if (node.Unreachable > SilenceMax && node.IsUp)
            {
                node.IsEvicted = true;
            }
        }

        StrikeOff(leader);
    }

    /// <summary>Tells the coordinator of processes that are gone: those that died, and those struck off.</summary>
    private void StrikeOff(CoordinatorHost leader)
    {
        foreach (var id in leader.Nodes.ToArray())
        {
            var node = Array.Find(Nodes, node => node.Id == id);
            if (node is null || !node.IsUp || node.IsEvicted)
            {
                leader.Nodes.Remove(id);
                Plan(Dice.Between(1, Scenario.Second), EventKind.Deliver, Destination.Coordinator, leader, new NodeLost(id, "the membership says so"));
            }
        }
    }

    private void WatchLeader()
    {
        var isHeld = Leader is { IsAlive: true, Node.IsEvicted: false } leader
            && leader.Node.PausedUntilTicks <= NowTicks
            && Array.FindAll(Nodes, node => node.IsUp && Network.Reaches(node, leader.Node)).Length * 2 > Array.FindAll(Nodes, node => node.IsUp).Length;
        _leaderless = isHeld ? 0 : _leaderless + 1;
        if (_leaderless <= SilenceMax || Nodes.Length == 1)
        {
            return;
        }

        SimulatedNode[] able = [.. Nodes.Where(node => node.IsUp && !node.IsEvicted && node.PausedUntilTicks <= NowTicks && node != Leader?.Node && MayCoordinate(node))];
        if (Scenario.NodesToCoordinate < Nodes.Length && Leader is not { IsAlive: true }
            && !Array.Exists(Nodes, node => node.IsUp && MayCoordinate(node) && node != Leader?.Node))
        {
            // Without a quorum of those that may coordinate, all others end as well.
            PlanRunStart();
        }
        else if (able.Length == 0)
        {
            // Nobody is left whom the membership still counts: whoever was struck off starts again.
            foreach (var node in Nodes)
            {
                if (node.IsEvicted && node.PausedUntilTicks <= NowTicks)
                {
                    Crash(node);
                }
            }
        }
        else
        {
            _leaderless = 0;
            var successor = able[Dice.Below(able.Length)];
            Lead(successor, 1, isSuccessor: true);
            AtTurn(successor);
        }
    }

    private bool MayCoordinate(SimulatedNode node) => node.Index < Scenario.NodesToCoordinate;

    /// <summary>A process learns who coordinates, and that it is no longer struck off if it was.</summary>
    private static void Meet(SimulatedNode node, CoordinatorHost leader)
    {
        node.Known = leader;
        node.IsEvicted = false;
    }

    private int LiveWorkers()
    {
        var count = 0;
        foreach (var seat in Workers)
        {
            count += seat.HasLeft || seat.WantsToLeave ? 0 : 1;
        }

        return count;
    }
}
