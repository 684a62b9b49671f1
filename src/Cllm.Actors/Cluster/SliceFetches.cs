using System.Diagnostics;
using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Keeps this process's copy of the weights up with their owners, and fetches whole slices where they are ordered. One fetch at a time for each shard, straight
/// into the process's state. Used by the node's actor.
/// </summary>
/// <remarks>
/// When all weights stand at the step that is worked on, those of the next one are asked for ahead: the owner answers in the moment in which it has them.
/// </remarks>
internal sealed class SliceFetches : IDisposable
{
    private const int WaitMilliseconds = 30_000;

    /// <summary>A failed fetch is tried again after so long.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>An ordered slice that fails for this long is given up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NodeRun _run;
    private readonly IActorRef _self;
    private readonly Fetch[] _fetches;

    /// <summary>The newest step that a worker was leased something of, or that some weights have come of; none before the first.</summary>
    private Step? _wanted;
    private Epoch _wantedIn;

    private bool _isHeld;

    public SliceFetches(NodeRun run, IActorRef self)
    {
        (_run, _self) = (run, self);
        _fetches = [.. Enumerable.Range(0, run.Shards.Length).Select(shard => new Fetch(run, shard, self))];
    }

    /// <summary>Whether no fetch is under way.</summary>
    public bool IsIdle => Array.TrueForAll(_fetches, fetch => fetch.Aim is null);

    /// <summary>Somebody needs the weights of a step.</summary>
    public void Want(Epoch epoch, Step step)
    {
        if (epoch.Number > _wantedIn.Number || (epoch == _wantedIn && !(_wanted?.Number >= step.Number)))
        {
            (_wantedIn, _wanted) = (epoch, step);
            AdvanceAll();
        }
    }

    /// <summary>A shard's slice is to be fetched whole.</summary>
    /// <param name="order">What, and where from.</param>
    /// <param name="ended">Gets why it failed; none when it did not.</param>
    public void Pull(SliceWanted order, Action<string?> ended)
    {
        var fetch = _fetches[order.Shard.Number];
        fetch.Order?.Ended("another slice was ordered");
        fetch.Order = new(order, ended, Stopwatch.GetTimestamp());
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

    /// <summary>Whether nothing is being fetched for a shard that is about to start here; if something is, it is about to end.</summary>
    public bool IsStill(int shard)
    {
        var fetch = _fetches[shard];
        var order = fetch.Order;
        fetch.Order = null;
        order?.Ended("the shard starts in this process");
        Advance(shard);
        return fetch.Aim is null;
    }

    /// <summary>Ends all fetches, and begins none until <see cref="Release"/>.</summary>
    public void Hold()
    {
        _isHeld = true;
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
        var order = fetch.Order;
        var isOrdered = order is not null && ended.Kind == TensorKind.State && order.Wanted.Step == ended.Step;
        if (ended.Result.Outcome == FetchOutcome.Done)
        {
            if (isOrdered)
            {
                fetch.Order = null;
                order!.Ended(null);
            }

            // Asked for before the run went back to a checkpoint, it says nothing of where the run is.
            if (ended.Kind == TensorKind.Weights && ended.Epoch.Number >= _wantedIn.Number && ended.Step.Number > _wanted?.Number)
            {
                _wanted = ended.Step;
                AdvanceAll();
            }
        }
        else if (ended.Result.Outcome != FetchOutcome.Cancelled && ended.Result.Reason != RefusalReason.NotYet)
        {
            fetch.IsResting = true;
            _run.Scheduler.ScheduleTellOnce(RetryDelay, _self, new SliceFetchDue(ended.Shard), ActorRefs.NoSender);
            GiveUpIfLong(fetch, ended.Result);
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
            fetch.Lane.Dispose();
        }
    }

    private void GiveUpIfLong(Fetch fetch, FetchResult result)
    {
        if (fetch.Order is { } order && (Stopwatch.GetElapsedTime(order.Began) > Patience || !IsThere(order.Wanted.From)))
        {
            fetch.Order = null;
            order.Ended(result.Sentence);
        }
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
        else if (aim is { } next && !fetch.IsResting)
        {
            (fetch.Aim, fetch.IsCancelled) = (next, false);
            fetch.Lane.To(next.From).Fetch(RequestOf(shard, next), fetch.DestinationOf(next.Kind), fetch.Ended);
        }
    }

    private Aim? AimOf(int shard)
    {
        if (_isHeld)
        {
            return null;
        }

        if (_fetches[shard].Order is { Wanted: { } order })
        {
            return new(TensorKind.State, order.Step, order.From);
        }

        if (_run.IsOwnedHere(shard) || _wanted is not { } wanted || _run.Directory.OwnerOf(shard) is not { } owner || owner.Node == _run.Node)
        {
            return null;
        }

        var ahead = new Aim(TensorKind.Weights, wanted.Next, owner.Channel);
        return _run.Slices.WeightsOf(shard) switch
        {
            var step when step == wanted.Number => ahead,

            // What was asked for ahead is coming in, so the slice is no step's for the moment.
            SliceBoard.None when _fetches[shard].Aim == ahead => ahead,
            _ => ahead with { Step = wanted },
        };
    }

    private TensorRequest RequestOf(int shard, in Aim aim)
    {
        var range = _run.Ranges[shard];
        return aim.Kind == TensorKind.State
            ? TensorRequest.State(_run.NewestEpoch, aim.Step, new(shard), range.Offset, range.Length)
            : TensorRequest.Weights(_run.NewestEpoch, aim.Step, new(shard), range.Offset, range.Length, WaitMilliseconds);
    }

    /// <summary>What is fetched, and from where.</summary>
    private readonly record struct Aim(TensorKind Kind, Step Step, ChannelAddress From);

    private sealed record Ordered(SliceWanted Wanted, Action<string?> Ended, long Began);

    /// <summary>The fetch of one shard.</summary>
    private sealed class Fetch
    {
        private readonly SliceDestination _weights;
        private readonly SliceDestination _state;

        public Fetch(NodeRun run, int shard, IActorRef self)
        {
            var state = run.RunHost.State;
            Lane = new(run.Channel.Transport, Lanes.Slice(shard));
            _weights = new(run.Slices, shard, SliceParts.Weights, state.Weights);
            _state = new(run.Slices, shard, SliceParts.All, state.Weights, state.FirstMoment, state.SecondMoment);
            Ended = (in TensorRequest request, in FetchResult result) =>
            {
                // Here and not by the actor: workers that wait for the last slice begin at once.
                if (result.Outcome == FetchOutcome.Done)
                {
                    run.Slices.Stand(shard, DestinationOf(request.Kind).Parts, request.Step.Number);
                }

                self.Tell(new SliceFetchEnded(shard, request.Kind, request.Epoch, request.Step, result), ActorRefs.NoSender);
            };
        }

        public MovingLane Lane { get; }

        public FetchEnded Ended { get; }

        /// <summary>What is being fetched; none when nothing is.</summary>
        public Aim? Aim { get; set; }

        public bool IsCancelled { get; set; }

        /// <summary>Whether it failed just now.</summary>
        public bool IsResting { get; set; }

        /// <summary>The whole slice that was ordered; none most of the time.</summary>
        public Ordered? Order { get; set; }

        public SliceDestination DestinationOf(TensorKind kind) => kind == TensorKind.State ? _state : _weights;
    }
}
