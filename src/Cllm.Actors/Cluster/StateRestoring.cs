using Akka.Actor;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Brings all slices back to a checkpoint: this process stops its own fetches, reads the state into its memory, and each owner fetches its slice from there. Until they have,
/// nothing is fetched into it: who has not gone back yet has later slices to give.
/// Used by the coordinator's actor.
/// </summary>
/// <param name="run">The process.</param>
/// <param name="restore">Reads the checkpoint into this process's memory and returns its step.</param>
/// <param name="ownerOf">Who owns a shard; none when nobody does.</param>
/// <param name="self">The coordinator's actor.</param>
internal sealed class StateRestoring(NodeRun run, Func<long> restore, Func<int, IActorRef?> ownerOf, IActorRef self)
{
    /// <summary>
    /// Shards that have not answered after this long are not waited for. Who has got the order comes later; who has not gets it when he announces himself: nobody would
    /// order him to reduce, for without his weights no worker computes.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>Shards that have not answered.</summary>
    private readonly HashSet<int> _missing = [];

    /// <summary>The epoch of the restoring under way; none most of the time.</summary>
    private Epoch? _epoch;
    private Step _step;

    /// <summary>Whether the state is back in this process, and shards were told to fetch theirs.</summary>
    private bool _isOrdered;

    /// <summary>The epoch in which they were.</summary>
    private Epoch _orderedIn;
    private ICancelable? _overdue;

    /// <summary>Begins; one that is under way is over.</summary>
    public void Begin(Epoch epoch)
    {
        (_epoch, _isOrdered) = (epoch, false);
        _missing.Clear();
        run.NodeActor.Tell(new HoldSlices(epoch), self);
    }

    /// <summary>Takes what was told to the coordinator's actor.</summary>
    /// <param name="message">What.</param>
    /// <param name="sender">By whom: only the owner's slice counts.</param>
    /// <returns>What its machine is to be fed; none when restoring has not ended.</returns>
    public Input? Take(object message, IActorRef sender)
    {
        switch (message)
        {
            case SlicesHeld held when held.Epoch == _epoch:
                return Restore(held.Epoch);
            case SliceIsRestored restored when restored.Epoch == _orderedIn && sender.Equals(ownerOf(restored.Shard.Number)):
                Forget(restored.Shard.Number);
                return EndIfRestored();
            case RestoreOverdue overdue when overdue.Epoch == _epoch:
                return End(overdue.Epoch);
            default:
                return null;
        }
    }

    /// <summary>A shard has said where it is: it may not have got its order, and one that is another than before has not.</summary>
    public void Locate(int shard, bool isAnother)
    {
        if (_epoch is null && isAnother)
        {
            // Whether its slice is the one it has to have is judged by what it says of it.
            _missing.Remove(shard);
        }
        else if (_isOrdered && (isAnother || _missing.Contains(shard)))
        {
            _missing.Add(shard);
            Order(shard);
        }
    }

    /// <summary>A shard is not waited for any more: it has answered, or its process is lost.</summary>
    public void Forget(int shard) => _missing.Remove(shard);

    /// <summary>What the machine is to be fed when nobody is waited for any more; none otherwise.</summary>
    public Input? EndIfRestored() => _isOrdered && _missing.Count == 0 && _epoch is { } epoch ? End(epoch) : null;

    /// <summary>The coordinator's actor stops, perhaps to be started again: whatever it was at is over.</summary>
    public void Stop()
    {
        _overdue?.Cancel();
        if (_epoch is not null)
        {
            run.NodeActor.Tell(new ReleaseSlices(), self);
        }
    }

    private Restored End(Epoch epoch)
    {
        _epoch = null;
        run.NodeActor.Tell(new ReleaseSlices(), self);
        return new(epoch, _step);
    }

    private Input? Restore(Epoch epoch)
    {
        if (!run.Slices.TryChangeAll())
        {
            // A shard that is another process's by now, and has not heard of it here, has begun to update in the meantime.
            run.NodeActor.Tell(new HoldSlices(epoch), self);
            return null;
        }

        try
        {
            _step = new(restore());
        }
        catch (Exception failure)
        {
            _epoch = null;
            run.NodeActor.Tell(new ReleaseSlices(), self);
            return new RestoreFailed(epoch, failure.Message);
        }

        (_isOrdered, _orderedIn) = (true, epoch);
        for (var shard = 0; shard < run.Shards.Length; shard++)
        {
            run.Slices.Stand(shard, SliceParts.All, _step.Number);
            if (ownerOf(shard) is not null)
            {
                _missing.Add(shard);
                Order(shard);
            }
        }

        _overdue?.Cancel();
        _overdue = run.Scheduler.ScheduleTellOnceCancelable(Patience, self, new RestoreOverdue(epoch), self);
        return EndIfRestored();
    }

    private void Order(int shard) => ownerOf(shard)?.Tell(new RestoreOrdered(_orderedIn, new(shard), _step, run.Channel.Address), self);
}
