using Akka.Actor;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>Workers and shards: started, started again by supervision, given to a process, and let go.</content>
internal sealed partial class SimulatedCluster
{
    /// <summary>A shard's actor fails: supervision starts it again, and its slice is whole unless it was being updated.</summary>
    public void Fail(ShardSeat seat, string reason)
    {
        if (seat.IsStopping)
        {
            End(seat);
            return;
        }

        SendToCoordinator(seat.Node, new ShardLost(new(seat.Number), new(seat.Incarnation), reason));
        Start(seat);
    }

    /// <summary>A worker's actor fails: supervision starts it again, with empty buffers.</summary>
    public void Fail(WorkerSeat seat, string reason)
    {
        SendToCoordinator(seat.Node, new WorkerLost(new(seat.Number), new(seat.Incarnation), reason));
        seat.Incarnation -= Scenario.Plant == PlantedFault.IncarnationReused ? 1 : 0;
        Start(seat);
    }

    /// <summary>A worker has left, for good unless it had to go with its process.</summary>
    public void LetGo(WorkerSeat seat)
    {
        Kill(seat);
        seat.HasLeft = seat.WantsToLeave;
    }

    /// <summary>Who wants to leave says so again and again.</summary>
    private void Leave()
    {
        foreach (var seat in Workers)
        {
            if (seat is { WantsToLeave: true, Actor: { } worker } && seat.Node.PausedUntilTicks <= NowTicks)
            {
                worker.Feed(new LeaveRequested());
            }
        }
    }

    /// <summary>All workers and shards of a process follow an epoch and announce themselves.</summary>
    public void AnnounceMembers(SimulatedNode node, Epoch epoch)
    {
        var started = new CoordinatorStarted(epoch);
        node.Machine!.TellShards(started);

        // A copy of the list: the process may die amid its announcements.
        foreach (var seat in Workers.ToArray())
        {
            if (seat.Node == node)
            {
                seat.Actor?.Feed(started);
            }
        }
    }

    /// <summary>The cluster's coordinator has heard of a shard: from now on the slice at that place is the one that counts.</summary>
    public void Adopt(ShardSeat seat) => Owners[seat.Number] = seat;

    /// <summary>The worker of a number; none when its process is over.</summary>
    public WorkerSeat? WorkerAt(int number) => Workers.Find(seat => seat.Number == number && seat.Node.IsUp);

    /// <summary>A shard's actor starts in a process of a cluster, and hears of it as of anything else.</summary>
    /// <returns>How it is reached.</returns>
    public SimulatedRef Start(SimulatedNode node, ShardIndex shard)
    {
        var seat = node.Shards[shard.Number] = new(this, shard.Number, node);
        Make(seat);
        seat.Ref.Tell(new MachineStarted(), node.Machine!.Ref);
        return seat.Ref;
    }

    /// <summary>A shard's actor is to stop: it takes nothing any more, but ends what it is at. Then its node hears of it.</summary>
    public void Stop(ShardSeat seat)
    {
        if (!seat.IsStopping)
        {
            seat.IsStopping = true;
            EndIfIdle(seat);
        }
    }

    /// <summary>The shard's actor starts, with what the process holds of the slice.</summary>
    public void Start(ShardSeat seat)
    {
        Make(seat);
        seat.Actor!.Feed(new MachineStarted());
    }

    /// <summary>The shard's actor is no more; its process keeps what it has of the slice.</summary>
    public void Kill(ShardSeat seat)
    {
        if (seat.Actor is { } actor)
        {
            actor.IsAlive = false;
            seat.Actor = null;
            if (actor.IsUpdating)
            {
                seat.Process.Host.Spoil(seat.Number);
                seat.Process.Run.EndUpdate(new(seat.Number));
                if (Scenario.Plant == PlantedFault.HalfUpdateDeclaredWhole)
                {
                    seat.Process.Run.SliceStands(new(seat.Number), new(PersistedStep + 1));
                }
            }

            actor.Dispose();
        }
    }

    /// <summary>The epoch that the members of a process start with.</summary>
    private static Epoch EpochAt(SimulatedNode node) => node.Process!.Run.NewestEpoch;

    private void Make(ShardSeat seat)
    {
        Kill(seat);
        var slot = seat.Process.Run.Shards[seat.Number];
        slot.Incarnation++;
        seat.Actor = new(this, seat, new(new() { Shard = new(seat.Number), Incarnation = new(slot.Incarnation), Node = seat.Node.Id, Slice = slot.Slice, Epoch = EpochAt(seat.Node) }));
    }

    private void EndIfIdle(ShardSeat seat)
    {
        if (seat is { IsStopping: true, Actor.IsWorking: false })
        {
            End(seat);
        }
    }

    private void End(ShardSeat seat)
    {
        Kill(seat);
        seat.Node.Shards.Remove(seat.Number);
        seat.Node.Machine!.Ref.Tell(new Terminated(seat.Ref, existenceConfirmed: true, addressTerminated: false), seat.Ref);
    }

    private void Start(WorkerSeat seat)
    {
        Make(seat);
        seat.Actor!.Feed(new MachineStarted());
    }

    private void Make(WorkerSeat seat)
    {
        Kill(seat);
        seat.Incarnation++;
        seat.Actor = new(this, seat, new(new() { Worker = new(seat.Number), Incarnation = new(seat.Incarnation), Node = seat.Node.Id, Epoch = EpochAt(seat.Node) }));
    }

    private void Kill(WorkerSeat seat)
    {
        if (seat.Actor is { } actor)
        {
            actor.IsAlive = false;
            seat.Actor = null;
            actor.End();
        }
    }
}
