using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>Fetches the copies of slices that this node was chosen to hold. Used by the node's actor.</summary>
/// <param name="run">The process.</param>
/// <param name="self">The node's actor.</param>
internal sealed class ReplicaFetches(NodeRun run, IActorRef self) : IDisposable
{
    private readonly Fetch?[] _fetches = new Fetch?[run.Shards.Length];

    /// <summary>An owner offers its slice.</summary>
    public void Take(ReplicaOffered offer, IActorRef owner)
    {
        var shard = offer.Shard.Number;
        if (run.IsOwnedHere(shard))
        {
            owner.Tell(new ReplicaFetched(offer.Shard, offer.Step, "this node owns the shard"), self);
            return;
        }

        var fetch = _fetches[shard] ??= new(new(run.Channel.Transport, Lanes.Replica(shard)), Telling(shard));
        run.Replicas[shard] ??= new(run.Ranges[shard]);
        fetch.Next = (offer, owner);
        if (fetch.Current is not null)
        {
            fetch.Lane.Cancel();
        }
        else
        {
            Begin(fetch);
        }
    }

    /// <summary>A fetch has ended.</summary>
    public void Take(ReplicaFetchEnded ended)
    {
        var fetch = _fetches[ended.Shard]!;
        var (offer, owner) = fetch.Current!.Value;
        fetch.Current = null;
        var isDone = ended.Result.Outcome == FetchOutcome.Done;
        run.Replicas[ended.Shard]!.Step = isDone ? ended.Step : null;
        owner.Tell(new ReplicaFetched(offer.Shard, offer.Step, isDone ? null : ended.Result.Sentence), self);
        if (fetch.Next is not null)
        {
            Begin(fetch);
        }
    }

    /// <summary>Whether a shard's copy is left alone; if not, it is about to be.</summary>
    public bool IsStill(int shard)
    {
        if (_fetches[shard] is not { Current: not null } fetch)
        {
            return true;
        }

        fetch.Next = null;
        fetch.Lane.Cancel();
        return false;
    }

    public void Dispose()
    {
        foreach (var fetch in _fetches)
        {
            fetch?.Lane.Dispose();
        }
    }

    private void Begin(Fetch fetch)
    {
        var (offer, _) = fetch.Next!.Value;
        (fetch.Current, fetch.Next) = (fetch.Next, null);
        var (range, replica) = (run.Ranges[offer.Shard.Number], run.Replicas[offer.Shard.Number]!);
        replica.Step = null;
        fetch.Lane.To(offer.From).Fetch(
            TensorRequest.State(offer.Epoch, offer.Step, offer.Shard, range.Offset, range.Length), replica.Destination, fetch.Ended);
    }

    private FetchEnded Telling(int shard) => (in TensorRequest request, in FetchResult result) =>
        self.Tell(new ReplicaFetchEnded(shard, request.Step, result), ActorRefs.NoSender);

    private sealed class Fetch(MovingLane lane, FetchEnded ended)
    {
        public MovingLane Lane => lane;

        public FetchEnded Ended => ended;

        /// <summary>The offer that is being fetched, and whose it is; none when nothing is.</summary>
        public (ReplicaOffered Offer, IActorRef Owner)? Current { get; set; }

        /// <summary>The offer after it.</summary>
        public (ReplicaOffered Offer, IActorRef Owner)? Next { get; set; }
    }
}
