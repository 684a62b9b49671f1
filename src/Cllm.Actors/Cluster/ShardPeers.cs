using Akka.Actor;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Cluster;

/// <summary>What a shard of a cluster needs of other processes: their gradients, a place for the copy of its slice, and its slice after a restore.</summary>
internal sealed class ShardPeers(NodeRun run, ShardIndex shard, IActorRef self) : IShardPeers
{
    /// <summary>A replica that takes longer than this is given up for this step: the next update waits no longer.</summary>
    private static readonly TimeSpan ReplicaPatience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// So many copies in a row that a node did not get are told of. One alone is made good after the next update, and comes of nothing worse than a process that
    /// has yet to hear what another one knows.
    /// </summary>
    private const int FailuresToTell = 2;

    private readonly GradientGathering _gathering = new(run, shard, self);

    /// <summary>The copy under way; none most of the time.</summary>
    private SendSlice? _sending;
    private ICancelable? _overdue;

    /// <summary>How many copies in a row a node did not get, for reasons that are not known already.</summary>
    private (NodeId Replica, int Count) _failures;

    /// <summary>The restore under way, and who ordered it; none most of the time.</summary>
    private RestoreOrdered? _restoring;
    private SliceWanted? _wanted;
    private IActorRef _restorer = ActorRefs.Nobody;

    /// <summary>The epoch of the newest restore that was ordered, or done.</summary>
    private Epoch _restoredIn;

    public bool IsRestoring => _restoring is not null;

    public void Expect(ExpectGradients work) => _gathering.Expect(work);

    public bool Gather(ReduceSlice work) => _gathering.Begin(work);

    public void CancelGathering() => _gathering.Cancel();

    public ReadOnlySpan<GradientSource> Find(ReductionSource[] sources) => _gathering.Find(sources);

    public void Send(SendSlice work)
    {
        _sending = work;
        if (IsRestoring)
        {
            // Its step is over here: a node that was offered it would wait for that, and the next update for the node. It ends with the restoring.
            return;
        }

        if (run.Directory.Find(work.Replica) is { } place)
        {
            run.ActorAt(place.Actor).Tell(new ReplicaOffered(run.NewestEpoch, shard, work.Step, run.Channel.Address), self);
            _overdue = run.Scheduler.ScheduleTellOnceCancelable(ReplicaPatience, self, new ReplicaOverdue(work.Step), self);
        }
        else
        {
            self.Tell(new ReplicaVoid(work.Step, $"node {work.Replica} is not known here"), self);
        }
    }

    public Input? Take(ShardPeersMessage message, IActorRef sender)
    {
        switch (message)
        {
            case PartFetched fetched:
                _gathering.Take(fetched);
                return null;
            case PartsDue due:
                _gathering.Take(due);
                return null;
            case ReplicaFetched fetched when fetched.Step == _sending?.Step:
                Count(fetched.Failure);
                return EndSending(fetched.Failure);
            case ReplicaVoid known when known.Step == _sending?.Step:
                return EndSending(known.Reason);
            case ReplicaOverdue overdue when overdue.Step == _sending?.Step:
                return EndOverdue();
            case DirectoryChanged when _sending is { } sending && run.Directory.Find(sending.Replica) is null:
                return EndSending("it was lost");
            case RestoreOrdered order when order.Epoch.Number > _restoredIn.Number:
                return Restore(order, sender);
            case RestoreOrdered order when order.Epoch == _restoredIn && !IsRestoring:
                sender.Tell(new SliceIsRestored(order.Epoch, shard, null), self);
                return null;
            case SlicePulled pulled when ReferenceEquals(pulled.Wanted, _wanted):
                return EndRestoring(pulled.Wanted.Step, pulled.Failure);
            default:
                return null;
        }
    }

    public void Dispose()
    {
        _overdue?.Cancel();
        _gathering.Dispose();
    }

    private SliceSent EndOverdue()
    {
        var failure = $"it has not answered for {ReplicaPatience.TotalSeconds} s";
        Count(failure);
        return EndSending(failure);
    }

    private void Count(string? failure)
    {
        var replica = _sending!.Replica;
        _failures = (replica, failure is null ? 0 : _failures.Replica == replica ? _failures.Count + 1 : 1);
        if (_failures.Count == FailuresToTell)
        {
            run.NodeActor.Tell(new CopiesFail(replica, failure!), self);
        }
    }

    private SliceSent EndSending(string? failure)
    {
        var sending = _sending!;
        _sending = null;
        _overdue?.Cancel();
        return new(sending.Step, sending.Replica, failure);
    }

    private SliceRestored? Restore(RestoreOrdered order, IActorRef sender)
    {
        (_restoring, _restorer, _restoredIn, _wanted) = (order, sender, order.Epoch, null);
        run.SumChanges(shard);
        if (order.From == run.Channel.Address)
        {
            // The coordinator's host has put it into this very memory.
            return EndRestoring(order.Step, null);
        }

        run.SliceChanges(shard);
        _wanted = new(order.Epoch, shard, order.Step, order.From);
        run.NodeActor.Tell(_wanted, self);
        return null;
    }

    /// <exception cref="InvalidOperationException">It failed: the shard starts again, without a slice, and so the coordinator hears of it.</exception>
    private SliceRestored EndRestoring(Step step, string? failure)
    {
        var epoch = _restoring!.Epoch;
        (_restoring, _wanted) = (null, null);
        _restorer.Tell(new SliceIsRestored(epoch, shard, failure), self);
        if (_sending is { } sending)
        {
            // What its step was is no more, and whoever waits for it there would wait in vain, and the next update for him.
            self.Tell(new ReplicaVoid(sending.Step, "the slice is put back"), self);
        }

        Invariant.Holds(failure is null, $"the slice of step {step} cannot be fetched: {failure}");
        run.SliceStands(shard, step);
        return new(epoch, step);
    }
}
