using Cllm.Actors.Cluster;
using Cllm.Model.Files;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>What goes wrong, and what the hosts do about the state.</content>
internal sealed partial class SimulatedCluster
{
    private const int EffectsMax = 12;

    /// <summary>Seconds after which a process ends that was asked to end, whatever it has.</summary>
    private const int GraceSeconds = 300;

    /// <summary>Coordinators that live on although they have a successor.</summary>
    private readonly List<CoordinatorHost> _deposed = [];

    /// <summary>Brings the slices of a run in one process back to the newest checkpoint.</summary>
    public Input Restore(SimulatedProcess process, Restore restore)
    {
        Step step;
        try
        {
            step = new(Nodes[0].Disk.Read(process.Host.Restore));
        }
        catch (StorageException failure)
        {
            return new RestoreFailed(restore.Epoch, failure.Message);
        }

        process.Version++;
        foreach (var seat in Owners)
        {
            SimulationViolation.Unless(seat!.Actor?.IsUpdating != true, "restore", $"shard {seat.Number} updates its slice while it is brought back");
            process.Run.Shards[seat.Number].Slice = step;
            seat.Actor?.Feed(new SliceRestored(restore.Epoch, step));
        }

        return new Restored(restore.Epoch, step);
    }

    private void FinishWork(SimulatedActor actor, object work)
    {
        if (actor is CoordinatorHost coordinator)
        {
            coordinator.Finish(work);
            return;
        }

        var fails = IsFaulty && Dice.Chance(Scenario.Rate(FaultKind.ActorFailure));
        if (fails)
        {
            Count(FaultKind.ActorFailure);
        }

        switch (actor)
        {
            case WorkerHost worker when fails:
                Fail(worker.Seat, "its work threw");
                break;
            case WorkerHost worker:
                worker.Finish(work);
                break;
            case ShardHost shard when fails:
                Fail(shard.Seat, "its work threw");
                break;
            case ShardHost shard:
                shard.Finish(work);
                EndIfIdle(shard.Seat);
                break;
        }
    }

    /// <summary>Once a second, each kind of fault may strike each node.</summary>
    private void InjectFaults()
    {
        foreach (var node in Nodes)
        {
            if (node.SlowUntilTicks <= NowTicks)
            {
                node.Slowness = 1;
            }

            if (node.IsUp)
            {
                Strike(node);
                StrikeHarshly(node);
            }
        }

        CrashMany();

        if (Happens(FaultKind.PowerLoss) && !_isRunStarting)
        {
            Array.ForEach(_disks, disk => disk.LosePower());
            PlanRunStart();
        }

        if (Happens(FaultKind.Stop) && Leader is { IsAlive: true } leader)
        {
            Plan(1, EventKind.Deliver, Destination.Coordinator, leader, new StopRequested());
        }

        if (Dice.Chance(Scenario.Rate(FaultKind.CheckpointDamage)))
        {
            _disks[_disks.Length > 1 ? Dice.Below(_disks.Length) : 0].Damage();
        }

        ChangeMembers();
        Operate();
    }

    /// <summary>What operators ask for, and the one actor that they ask.</summary>
    private void Operate()
    {
        if (Leader is not { IsAlive: true } leader || _isRunStarting)
        {
            return;
        }

        if (Happens(FaultKind.RunPause))
        {
            Plan(1, EventKind.Deliver, Destination.Coordinator, leader, new PauseRequested());
            Plan(Dice.Between(1, 30 * Scenario.Second), EventKind.Deliver, Destination.Coordinator, leader, new ResumeRequested());
        }

        if (Happens(FaultKind.CheckpointRequest))
        {
            Plan(1, EventKind.Deliver, Destination.Coordinator, leader, new CheckpointRequested());
        }

        if (IsCluster && Happens(FaultKind.Drain))
        {
            var node = Nodes[Dice.Below(Nodes.Length)];
            node.EndsAtTicks ??= NowTicks + (GraceSeconds * Scenario.Second);
            Plan(1, EventKind.Deliver, Destination.Coordinator, leader, new DrainRequested(node.Id));
        }

        if (leader.Node.PausedUntilTicks <= NowTicks && leader.Machine.Phase != CoordinatorPhase.Ended && Happens(FaultKind.CoordinatorFailure))
        {
            RestartCoordinator(leader);
        }
    }

    private void Strike(SimulatedNode node)
    {
        var other = Nodes[Dice.Below(Nodes.Length)];
        var until = NowTicks + Dice.Between(Scenario.Second, Dice.Chance(0.3) ? 100 * Scenario.Second : 10 * Scenario.Second);
        if (Happens(FaultKind.Crash))
        {
            Crash(node);
            return;
        }

        if (Happens(FaultKind.CrashAmidEffects))
        {
            node.EffectsLeft = Dice.Below(EffectsMax);
        }

        if (Happens(FaultKind.Pause))
        {
            node.PausedUntilTicks = Scenario.IsMild ? until : Math.Max(node.PausedUntilTicks, until);
        }

        if (node.Machine is { } machine && node.PausedUntilTicks <= NowTicks && Happens(FaultKind.NodeLeave))
        {
            node.EndsAtTicks ??= NowTicks + (GraceSeconds * Scenario.Second);
            machine.Feed(new LeaveRequested());
        }

        if (Happens(FaultKind.Slowness))
        {
            (node.Slowness, node.SlowUntilTicks) = (2 + Dice.Below(30), until);
        }

        if (other != node && Happens(FaultKind.OneWayPartition))
        {
            Network.Cut(node, other, until);
        }

        if (other != node && Happens(FaultKind.Partition))
        {
            Split(until);
        }
    }

    private void Split(long untilTicks)
    {
        var sides = Dice.Next();
        foreach (var left in Nodes)
        {
            foreach (var right in Nodes)
            {
                if ((sides >> left.Index & 1) != (sides >> right.Index & 1))
                {
                    Network.Cut(left, right, untilTicks);
                }
            }
        }
    }

    private void ChangeMembers()
    {
        if (Happens(FaultKind.Join))
        {
            Join(Nodes[Dice.Below(Nodes.Length)]);
        }

        if (Happens(FaultKind.Leave) && LiveWorkers() > 1)
        {
            Workers[Dice.Below(Workers.Count)].WantsToLeave = true;
        }
    }

    private void Join(SimulatedNode node)
    {
        var others = IsCluster ? Workers.FindAll(seat => seat.Node == node).Count : Workers.Count;
        if (others < (IsCluster ? SimulatedProcess.WorkersMax : WorkersMax))
        {
            var seat = new WorkerSeat(node) { Number = others + (IsCluster ? NodeNumbers.FirstWorker(node.Id) : 0) };
            Workers.Add(seat);
            if (node.IsUp)
            {
                // A process that knows no coordinator yet announces it with its others as soon as it is admitted.
                Start(seat);
            }
        }
    }

    /// <summary>Whether a fault strikes a piece of work.</summary>
    public bool Strikes(FaultKind kind) => IsFaulty && Happens(kind);

    private bool Happens(FaultKind kind)
    {
        var happens = Dice.Chance(Scenario.Rate(kind));
        if (happens)
        {
            Count(kind);
        }

        return happens;
    }
}
