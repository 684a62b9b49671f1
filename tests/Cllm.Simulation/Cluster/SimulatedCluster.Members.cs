using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Workers;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>Workers and shards: started, started again by supervision, given to a process, and let go.</content>
internal sealed partial class SimulatedCluster
{
    /// <summary>A shard's actor fails: supervision starts it again, and its slice is whole unless it was being updated.</summary>
    public void Fail(ShardSeat seat, string reason)
    {
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

    /// <summary>All workers and shards of a process follow an epoch and announce themselves, and the process says which copies it holds.</summary>
    public void AnnounceMembers(SimulatedNode node, Epoch epoch)
    {
        foreach (var (shard, replica) in node.Replicas)
        {
            SendToCoordinator(node, new ReplicaHeld(new(shard), new(replica.Step), node.Id));
        }

        // Copies of the lists: the process may die amid its announcements.
        foreach (var seat in node.Shards.Values.ToArray())
        {
            seat.Actor?.Feed(new CoordinatorStarted(epoch));
        }

        foreach (var seat in Workers)
        {
            if (seat.Node == node)
            {
                seat.Actor?.Feed(new CoordinatorStarted(epoch));
            }
        }
    }

    /// <summary>A process is given a shard: it starts it with the slice that it has had all along, with the copy that it holds, or with nothing.</summary>
    public void Own(SimulatedNode node, StartShard start)
    {
        var shard = start.Shard.Number;
        if (node.Shards.TryGetValue(shard, out var old))
        {
            if (old.Incarnation >= start.Incarnation.Number)
            {
                return;
            }

            Kill(old);
        }

        var isReplica = node.Replicas.TryGetValue(shard, out var replica);
        var isOldBetter = old?.Slice is { } slice && (!isReplica || slice == start.Step.Number || (replica.Step != start.Step.Number && slice > replica.Step));
        var seat = isOldBetter ? old! : new ShardSeat(shard, node);
        seat.Incarnation = start.Incarnation.Number - 1;
        if (isReplica && !isOldBetter)
        {
            node.Replicas.Remove(shard);
            (seat.Slice, seat.Copy) = (replica.Step, replica.Copy);
        }

        node.Shards[shard] = seat;
        Start(seat);
    }

    /// <summary>A process hears that another one owns a shard.</summary>
    public void Disown(SimulatedNode node, StopShard stop)
    {
        if (node.Shards.TryGetValue(stop.Shard.Number, out var seat) && seat.Incarnation < stop.Incarnation.Number)
        {
            Kill(seat);
            node.Shards.Remove(stop.Shard.Number);
            Moves++;
        }
    }

    /// <summary>The cluster's coordinator has heard of a shard: from now on the slice at that place is the one that counts.</summary>
    public void Adopt(ShardSeat seat)
    {
        var shard = seat.Number;
        if (Owners[shard] == seat)
        {
            return;
        }

        Owners[shard]?.Copy = Arithmetic.Save(shard);
        if (seat.Copy is { } copy)
        {
            Arithmetic.Load(shard, copy);
        }
        else
        {
            Arithmetic.Spoil(shard);
        }

        (Owners[shard], seat.Copy) = (seat, null);
    }

    /// <summary>The epoch that the members of a process start with.</summary>
    private static Epoch EpochAt(SimulatedNode node) => node.Machine?.Machine.Fence.Epoch ?? default;

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

    private void Start(ShardSeat seat)
    {
        Kill(seat);
        seat.Incarnation++;
        Step? slice = seat.Slice is { } step ? new(step) : null;
        Stand(seat);
        seat.Actor = new(this, seat, new(new() { Shard = new(seat.Number), Incarnation = new(seat.Incarnation), Node = seat.Node.Id, Slice = slice, Epoch = EpochAt(seat.Node) }));
        seat.Actor.Feed(new MachineStarted());
    }

    private void Kill(WorkerSeat seat)
    {
        if (seat.Actor is { } actor)
        {
            actor.IsAlive = false;
            seat.Actor = null;
            Gradients.Leave(new(seat.Number));
            actor.Compute.Dispose();
        }
    }

    private void Kill(ShardSeat seat)
    {
        if (seat.Actor is { } actor)
        {
            actor.IsAlive = false;
            actor.Dispose();
            seat.Actor = null;
            if (actor.IsUpdating)
            {
                seat.Copy = null;
                if (Owners[seat.Number] == seat)
                {
                    Arithmetic.Spoil(seat.Number);
                }

                seat.Slice = Scenario.Plant == PlantedFault.HalfUpdateDeclaredWhole ? PersistedStep + 1 : null;
            }
        }
    }
}
