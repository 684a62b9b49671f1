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

    /// <summary>Why the state cannot be copied; none when it can.</summary>
    public string? ReasonAgainstSnapshot(CoordinatorHost coordinator, long step)
    {
        if (coordinator != Leader)
        {
            return "another coordinator has taken over";
        }

        foreach (var seat in Owners)
        {
            if (seat is not { Actor: not null, Slice: not null })
            {
                return "a shard does not answer";
            }

            // A state is asked for by its step: a copy that took over meanwhile and is older refuses.
            if (seat.Slice != step)
            {
                return $"shard {seat.Number} stands at step {seat.Slice} when that of step {step} is taken";
            }
        }

        return null;
    }

    /// <summary>Brings the slices of all shards back to the newest checkpoint, but for those whose process is gone.</summary>
    /// <returns>None while a shard that may still be there cannot be reached.</returns>
    public Input? RestoreSlices(CoordinatorHost coordinator, Restore restore)
    {
        if (coordinator != Leader)
        {
            return new RestoreFailed(restore.Epoch, "another coordinator has taken over");
        }

        if (Array.Exists(Owners, seat => seat is { Actor: not null, Node.IsEvicted: false } && !IsReachedBy(coordinator, seat.Node)))
        {
            return null;
        }

        // Who is struck off keeps what it has; whether that ever counts again is for its next announcement to say.
        foreach (var seat in Owners.ToArray())
        {
            if (seat is not null && (seat.Actor is null || !IsReachedBy(coordinator, seat.Node)))
            {
                (seat.Copy, Owners[seat.Number]) = (Arithmetic.Save(seat.Number), null);
            }
        }

        var skipped = Scenario.Plant == PlantedFault.RestoreSkipsShard ? Dice.Below(ShardCount) : -1;
        var step = Arithmetic.Host.Restore();
        Disk.CheckFound(step);
        for (var shard = 0; shard < ShardCount; shard++)
        {
            if (Owners[shard] is { Actor: { } actor } seat)
            {
                SimulationViolation.Unless(!actor.IsUpdating, "restore", $"shard {shard} updates its slice while it is brought back");
                seat.Slice = step;
                Stand(seat);
                actor.Feed(new SliceRestored(restore.Epoch, new(step)));
            }

            if (shard == skipped)
            {
                Arithmetic.Spoil(shard);
            }
        }

        Arithmetic.Changed();
        Restores++;
        if (IsTracing)
        {
            Trace($"  all slices that can be reached are back at step {step}, digest {Arithmetic.Digest():x16}");
        }

        return new Restored(restore.Epoch, new(step));
    }

    private bool IsReachedBy(CoordinatorHost coordinator, SimulatedNode node) =>
        node.IsUp && (node == coordinator.Node || (node.PausedUntilTicks <= NowTicks && Network.Reaches(coordinator.Node, node)));

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
                Fail(Workers[worker.Address.Index], "its work threw");
                break;
            case WorkerHost worker:
                worker.Finish(work);
                break;
            case ShardHost shard when fails:
                Fail(shard.Seat, "its work threw");
                break;
            case ShardHost shard:
                shard.Finish(work);
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
            }
        }

        if (Happens(FaultKind.PowerLoss) && !_isRunStarting)
        {
            Disk.LosePower();
            PlanRunStart();
        }

        if (Happens(FaultKind.Stop) && Leader is { IsAlive: true } leader)
        {
            Plan(1, EventKind.Deliver, Destination.Coordinator, leader, new StopRequested());
        }

        if (Dice.Chance(Scenario.Rate(FaultKind.CheckpointDamage)))
        {
            Disk.Damage();
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
            node.PausedUntilTicks = until;
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
        if (Happens(FaultKind.Join) && Workers.Count < WorkersMax)
        {
            var node = Nodes[Dice.Below(Nodes.Length)];
            var seat = new WorkerSeat(Workers.Count, node);
            Workers.Add(seat);
            if (node.IsUp && node.Known is not null)
            {
                Start(seat);
            }
        }

        if (Happens(FaultKind.Leave) && LiveWorkers() > 1)
        {
            Workers[Dice.Below(Workers.Count)].WantsToLeave = true;
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
