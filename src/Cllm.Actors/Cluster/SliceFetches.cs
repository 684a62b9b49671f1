using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Keeps this process's weights, and the slices that it holds copies of, up with their owners, and fetches slices where they are ordered. One fetch at a time for
/// each shard, straight into the process's state. Used by <see cref="NodeShards"/>.
/// </summary>
/// <remarks>
/// When all weights stand at the step that is worked on, those of the next one are asked for ahead: the owner answers in the moment in which it has them. Of a
/// slice that is here whole the update is asked for instead: as many bytes, given out as soon as the step is committed, and applied here by the same
/// arithmetic to the same bits. An update that was not had whole has changed nothing here; then the weights come, and the moments when their owner offers them.
/// </remarks>
internal sealed class SliceFetches : IDisposable
{
    private const string WentBack = "the run went back to an earlier step";

    /// <summary>A failed fetch is tried again after so long.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>An owner may wait for so long, and an ordered slice that fails for this long is given up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NodeRun _run;
    private readonly IActorRef _self;
    private readonly SliceFetch[] _fetches;

    /// <summary>The newest step that a worker was leased something of, or that some weights have come of; none before the first.</summary>
    private Step? _wanted;
    private Epoch _wantedIn;

    private bool _isHeld;

    /// <summary>Who waits for all fetches to have ended, and in which epoch; none when nobody does.</summary>
    private (IActorRef Holder, Epoch Epoch)? _holding;

    public SliceFetches(NodeRun run, IActorRef self)
    {
        (_run, _self) = (run, self);
        _fetches = [.. Enumerable.Range(0, run.Shards.Length).Select(shard => new SliceFetch(run, shard, self))];
    }

    /// <summary>Whether no fetch is under way.</summary>
    public bool IsIdle => Array.TrueForAll(_fetches, fetch => fetch.Aim is null);

    /// <summary>Takes what the node's actor is told of slices. What has ended is its own to take first: something may start then, before <see cref="SayIfHeld"/>.</summary>
    /// <param name="message">What.</param>
    /// <param name="sender">By whom.</param>
    /// <returns>Whether it was that.</returns>
    public bool Take(object message, IActorRef sender)
    {
        switch (message)
        {
            case WeightsWanted wanted:
                Want(wanted.Epoch, wanted.Step);
                return true;
            case SliceFetchDue due:
                Take(due);
                return true;
            case ReplicaOffered offer:
                Copy(offer, failure => sender.Tell(new ReplicaFetched(offer.Shard, offer.Step, failure), _self));
                return true;
            case SliceWanted wanted:
                Pull(wanted, failure => sender.Tell(new SlicePulled(wanted, failure), _self));
                return true;
            case HoldSlices hold:
                _holding = (sender, hold.Epoch);
                Hold(hold.Epoch);
                SayIfHeld();
                return true;
            case UpdateEnded:
                AdvanceAll();
                SayIfHeld();
                return true;
            case ReleaseSlices:
                _holding = null;
                Release();
                return true;
            case StateWanted wanted:
                StateGathering.Begin(_run, this, wanted, sender);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Tells whoever holds the fetches that none is under way any more, and no update of a shard that was another process's before it had ended that.</summary>
    public void SayIfHeld()
    {
        if (_holding is var (holder, epoch) && IsIdle && _run.Slices.AreUpdatesOver(_self))
        {
            _holding = null;
            holder.Tell(new SlicesHeld(epoch), _self);
        }
    }

    /// <summary>Somebody needs the weights of a step.</summary>
    public void Want(Epoch epoch, Step step)
    {
        if (epoch.Number > _wantedIn.Number || (epoch == _wantedIn && !(_wanted?.Number >= step.Number)))
        {
            (_wantedIn, _wanted) = (epoch, step);
            foreach (var fetch in _fetches)
            {
                if (fetch.Order is { } order && (IsFromBefore(order.Wanted) || IsBeyond(order.Wanted)))
                {
                    EndOrder(fetch, WentBack);
                }
            }

            AdvanceAll();
        }
    }

    /// <summary>
    /// The owner of a shard offers its slice, which this node is to hold a copy of. It is brought there by the way that takes the fewest bytes, and follows its
    /// owner from then on.
    /// </summary>
    /// <param name="offer">What, and where from.</param>
    /// <param name="ended">Gets why this node does not hold it; none when it does.</param>
    public void Copy(ReplicaOffered offer, Action<string?> ended)
    {
        var order = new SliceWanted(offer.Epoch, offer.Shard, offer.Step, offer.From);
        if (_run.IsOwnedHere(offer.Shard.Number))
        {
            ended("this node owns the shard");
        }
        else if (IsFromBefore(order))
        {
            ended(WentBack);
        }
        else if (offer.Epoch.Number <= _wantedIn.Number && offer.Step.Number < _wanted?.Number)
        {
            // Late, or from an owner that is none any more: it would be fetched over weights that workers compute with.
            ended("the run is further on");
        }
        else
        {
            _fetches[offer.Shard.Number].Offered = offer.Step;
            Pull(order, ended);
        }
    }

    /// <summary>The step at which this node's copy of a shard's slice stands; none when it holds no copy.</summary>
    public Step? CopyOf(int shard) =>
        _fetches[shard].Offered is not null && !_run.IsOwnedHere(shard) && _run.Slices.AllOf(shard) is >= 0 and var step ? new(step) : null;

    /// <summary>A shard's slice is to be here, all of it.</summary>
    /// <param name="order">What, and where from.</param>
    /// <param name="ended">Gets why it failed; none when it did not.</param>
    public void Pull(SliceWanted order, Action<string?> ended)
    {
        var fetch = _fetches[order.Shard.Number];
        if (fetch.Order is { } known && known.Wanted.Step == order.Step && known.Wanted.From == order.From)
        {
            // A checkpoint wants what the copy is fetched for.
            fetch.Order = known with { Ended = known.Ended + ended };
            return;
        }

        EndOrder(fetch, "another slice was ordered");
        fetch.Order = new(order, ended, _run.Time.GetTimestamp());
        EndWhatIsHere(order.Shard.Number);
        Advance(order.Shard.Number);
    }

    /// <summary>Owners may have changed, or the shards that run here.</summary>
    public void AdvanceAll()
    {
        for (var shard = 0; shard < _fetches.Length; shard++)
        {
            Advance(shard);
        }
    }

    /// <summary>The directory has changed: nobody waits for what was ordered from the owner before.</summary>
    public void FollowDirectory()
    {
        for (var shard = 0; shard < _fetches.Length; shard++)
        {
            if (_fetches[shard] is { Order.Wanted.From: var from } fetch && !_run.IsOwnedHere(shard)
                && _run.Directory.OwnerOf(shard) is { } owner && owner.Channel != from)
            {
                EndOrder(fetch, "another node owns the shard by now");
            }
        }

        AdvanceAll();
    }

    /// <summary>Whether nothing is being fetched for a shard that is about to start here; if something is, it is about to end.</summary>
    public bool IsStill(int shard)
    {
        var fetch = _fetches[shard];
        fetch.Offered = null;
        EndOrder(fetch, "the shard starts in this process");
        Advance(shard);
        return fetch.Aim is null;
    }

    /// <summary>
    /// Ends all fetches, and begins none until <see cref="Release"/>: the state goes back to a checkpoint, from which others fetch it then. What was wanted
    /// before that would be fetched into it from owners that have not gone back yet; and a shard of this process is not told of the way back by an order
    /// that replaces one from before it.
    /// </summary>
    public void Hold(Epoch epoch)
    {
        (_isHeld, _wantedIn, _wanted) = (true, epoch, null);
        foreach (var fetch in _fetches)
        {
            EndOrder(fetch, WentBack);
        }

        AdvanceAll();
    }

    /// <summary>Goes on.</summary>
    public void Release()
    {
        _isHeld = false;
        AdvanceAll();
    }

    /// <summary>A fetch has ended.</summary>
    public void Take(SliceFetchEnded ended)
    {
        var fetch = _fetches[ended.Shard];
        fetch.Aim = null;
        if (ended.Result.Outcome == FetchOutcome.Done)
        {
            EndWhatIsHere(ended.Shard);
            Follow(ended);
        }
        else if (ended.Result.Outcome != FetchOutcome.Cancelled)
        {
            TakeFailure(ended, fetch);
        }

        Advance(ended.Shard);
    }

    /// <summary>A fetch that failed may be tried again.</summary>
    public void Take(SliceFetchDue due)
    {
        _fetches[due.Shard].IsResting = false;
        Advance(due.Shard);
    }

    public void Dispose()
    {
        foreach (var fetch in _fetches)
        {
            fetch.Dispose();
        }
    }

    /// <summary>Weights that were asked for before the run went back to a checkpoint say nothing of where the run is.</summary>
    private void Follow(SliceFetchEnded ended)
    {
        Step? reached = ended.Kind switch
        {
            TensorKind.Weights => ended.Step,
            TensorKind.Update => ended.Step.Next,
            _ => null,
        };
        if (reached is { } step && ended.Epoch.Number >= _wantedIn.Number && step.Number > _wanted?.Number)
        {
            _wanted = step;
            AdvanceAll();
        }
    }

    private void TakeFailure(SliceFetchEnded ended, SliceFetch fetch)
    {
        var isNotYet = ended.Result.Reason == RefusalReason.NotYet;
        if (ended.Kind == TensorKind.Update && !isNotYet)
        {
            // There is another way.
            fetch.NoUpdateOf = ended.Step;
            return;
        }

        if (!isNotYet || ended.Kind == TensorKind.State)
        {
            // A state is not waited for at the other end.
            fetch.IsResting = true;
            _run.Scheduler.ScheduleTellOnce(RetryDelay, _self, new SliceFetchDue(ended.Shard), ActorRefs.NoSender);
        }

        if (fetch.Order is { } order && (IsPast(ended, order) || _run.Time.GetElapsedTime(order.Began) > Patience || !IsThere(order.Wanted.From)))
        {
            EndOrder(fetch, ended.Result.Sentence);
        }
    }

    /// <summary>Whether an owner says that it stands at another step by now: it does not come back. What is owned here is waited for.</summary>
    private bool IsPast(SliceFetchEnded ended, SliceOrder order) =>
        ended.Result is { Outcome: FetchOutcome.Refused, Reason: not RefusalReason.NotYet } && ended.Step == order.Wanted.Step && !_run.IsOwnedHere(ended.Shard);

    private void EndWhatIsHere(int shard)
    {
        if (_fetches[shard] is { Order: { } order } fetch && _run.Slices.AllOf(shard) == order.Wanted.Step.Number)
        {
            EndOrder(fetch, null);
        }
    }

    private static void EndOrder(SliceFetch fetch, string? failure)
    {
        var order = fetch.Order;
        fetch.Order = null;
        order?.Ended(failure);
    }

    private bool IsThere(ChannelAddress address) => Array.Exists(_run.Directory.Nodes, place => place.Channel == address);

    private void Advance(int shard)
    {
        var fetch = _fetches[shard];
        var aim = AimOf(shard);
        if (fetch.Aim is { } current)
        {
            if (current != aim && !fetch.IsCancelled)
            {
                fetch.IsCancelled = true;
                fetch.Lane.Cancel();
            }
        }
        else if (aim is { } next && !fetch.IsResting && (!_run.IsOwnedHere(shard) || _run.Slices.TryChange(shard, _self)))
        {
            (fetch.Aim, fetch.IsCancelled) = (next, false);
            fetch.Lane.To(next.From).Fetch(RequestOf(shard, next), fetch.DestinationOf(next.Kind), fetch.Ended);
        }
    }

    private SliceAim? AimOf(int shard)
    {
        var fetch = _fetches[shard];
        var order = fetch.Order?.Wanted;
        if (_isHeld)
        {
            return null;
        }

        if (_run.IsOwnedHere(shard))
        {
            return order is null ? null : new(TensorKind.State, order.Step, order.From);
        }

        if (order is not null)
        {
            return WholeAt(shard) is { } before && before.Next == order.Step ? new(TensorKind.Update, before, order.From)
                : new(_run.Slices.WeightsOf(shard) == order.Step.Number ? TensorKind.Moments : TensorKind.Weights, order.Step, order.From);
        }

        if (_wanted is not { } wanted || _run.Directory.OwnerOf(shard) is not { } owner || owner.Node == _run.Node)
        {
            return null;
        }

        if (WholeAt(shard) is { } at && (at == wanted || at.Next == wanted) && fetch.Offered?.Number >= at.Number - 1)
        {
            return new(TensorKind.Update, at, owner.Channel);
        }

        var ahead = new SliceAim(TensorKind.Weights, wanted.Next, owner.Channel);
        return _run.Slices.WeightsOf(shard) switch
        {
            var step when step == wanted.Number => ahead,

            // What was asked for ahead is coming in, so the slice is no step's for the moment.
            SliceBoard.None when fetch.Aim == ahead => ahead,
            _ => ahead with { Step = wanted },
        };
    }

    /// <summary>The step at which all of a slice stands, or stood when the update under way was begun; none when an update of it could not be had.</summary>
    private Step? WholeAt(int shard)
    {
        var fetch = _fetches[shard];
        var at = fetch.Aim is { Kind: TensorKind.Update } aim ? aim.Step.Number : _run.Slices.AllOf(shard);
        return at >= 0 && fetch.NoUpdateOf?.Number != at ? new Step(at) : null;
    }

    /// <summary>Whether an order is of an earlier epoch and beyond the step that the run went back to: its owner does not stand there any more.</summary>
    private bool IsFromBefore(SliceWanted order) =>
        order.Epoch.Number < _wantedIn.Number && order.Step.Number > _wanted?.Number && !_run.IsOwnedHere(order.Shard.Number);

    /// <summary>
    /// Whether an order is of a step that the run has yet to come to: it was offered before its owner went back, in an epoch that its process had heard of already.
    /// </summary>
    private bool IsBeyond(SliceWanted order) =>
        order.Epoch.Number <= _wantedIn.Number && order.Step.Number > _wanted?.Next.Number && !_run.IsOwnedHere(order.Shard.Number);

    /// <summary>How long an owner may wait: of an order, what is left of its time.</summary>
    private int WaitMilliseconds(SliceOrder? order)
    {
        var left = order is null ? Patience : Patience - _run.Time.GetElapsedTime(order.Began);
        return (int)Math.Max(0, left.TotalMilliseconds);
    }

    private TensorRequest RequestOf(int shard, in SliceAim aim)
    {
        var (range, epoch, index, wait) = (_run.Ranges[shard], _run.NewestEpoch, new ShardIndex(shard), WaitMilliseconds(_fetches[shard].Order));
        return aim.Kind switch
        {
            TensorKind.State => TensorRequest.State(epoch, aim.Step, index, range.Offset, range.Length),
            TensorKind.Moments => TensorRequest.Moments(epoch, aim.Step, index, range.Offset, range.Length, wait),
            TensorKind.Update => TensorRequest.Update(epoch, aim.Step, index, range.Offset, range.Length, wait),
            _ => TensorRequest.Weights(epoch, aim.Step, index, range.Offset, range.Length, wait),
        };
    }
}
