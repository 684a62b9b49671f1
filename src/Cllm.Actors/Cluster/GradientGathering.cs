using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Numerics.Memory;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Fetches the sums that other nodes hold for one shard, from all nodes at once, one sum at a time from each. It begins when it hears where they will be: the
/// other node answers as soon as the shard's range is final there. What is fetched by the time of the order, or is being fetched, and is what the order names is
/// kept for it, and what was fetched for a reduction is kept for the update that follows it. Used by the shard's thread.
/// </summary>
internal sealed class GradientGathering : IGradientHolder, IDisposable
{
    /// <summary>So long the other side waits for a sum to be final before it is asked again.</summary>
    private const int WaitMilliseconds = 30_000;

    /// <summary>A failed fetch is tried again after so long.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>Failing for this long is the shard's failure: the coordinator then hears of it, and sees to it that others do what was to be done.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NodeRun _run;
    private readonly ShardIndex _shard;
    private readonly IActorRef _self;
    private readonly List<GradientRoute> _routes = [];

    /// <summary>What the routes to other nodes bring, in leaf order.</summary>
    private readonly List<GradientPart> _parts = [];
    private readonly List<GradientPart> _former = [];
    private readonly Dictionary<NodeId, PeerLane> _lanes = [];
    private readonly List<AlignedBuffer> _buffers = [];
    private readonly GradientSource[] _found;

    /// <summary>The reduction that is waited for; none when all is there or nobody waits.</summary>
    private ReduceSlice? _work;

    /// <summary>The sources of the newest order.</summary>
    private ReductionSource[]? _sources;

    /// <summary>The epoch and step of the parts.</summary>
    private (Epoch Epoch, Step Step) _at;
    private long _began;

    /// <summary>Whether what failed is about to be tried again.</summary>
    private bool _isDue;

    public GradientGathering(NodeRun run, ShardIndex shard, IActorRef self)
    {
        (_run, _shard, _self) = (run, shard, self);
        _found = new GradientSource[run.Tree.Leaves];
    }

    /// <summary>Begins to fetch what a reduction is likely to need.</summary>
    public void Expect(ExpectGradients work)
    {
        Aim(work.Epoch, work.Step, work.Sources);
        Advance();
    }

    /// <summary>Begins to fetch what a reduction needs and is not there.</summary>
    /// <returns>Whether all is there.</returns>
    public bool Begin(ReduceSlice work)
    {
        Aim(work.Epoch, work.Step, work.Sources);
        (_sources, _began) = (work.Sources, _run.Time.GetTimestamp());
        if (_parts.TrueForAll(static part => part.IsHere))
        {
            return true;
        }

        _work = work;
        Advance();
        return false;
    }

    /// <summary>Nobody waits any more; fetches that are under way end soon.</summary>
    public void Cancel()
    {
        _work = null;
        foreach (var part in _parts)
        {
            part.IsGivenUp = true;
        }

        foreach (var lane in _lanes.Values)
        {
            if (lane.Part is not null)
            {
                lane.Lane.Cancel();
            }
        }
    }

    /// <summary>A fetch from a node has ended.</summary>
    /// <exception cref="InvalidOperationException">It has failed for too long.</exception>
    public void Take(PartFetched fetched)
    {
        if (fetched.By != this)
        {
            return;
        }

        var lane = _lanes[fetched.From];
        var part = lane.Part!;
        var result = fetched.Result;
        lane.Part = null;
        if (result.Outcome == FetchOutcome.Done)
        {
            part.IsHere = true;
        }
        else if (_work is not null && result.Outcome != FetchOutcome.Cancelled)
        {
            Rest(lane);
            Invariant.Holds(_run.Time.GetElapsedTime(_began) < Patience,
                $"gradients of node {fetched.From} cannot be fetched for {Patience.TotalSeconds} s: {result.Sentence}");
        }
        else
        {
            part.IsGivenUp |= result.Outcome != FetchOutcome.Cancelled && result.Reason != RefusalReason.NotYet;
        }

        Advance();
    }

    /// <summary>What failed is tried again.</summary>
    public void Take(PartsDue due)
    {
        if (due.By != this)
        {
            return;
        }

        _isDue = false;
        foreach (var lane in _lanes.Values)
        {
            lane.IsResting = false;
        }

        Advance();
    }

    /// <summary>The gradients of the reduction that was begun last.</summary>
    public ReadOnlySpan<GradientSource> Find(ReductionSource[] sources)
    {
        Invariant.Holds(sources == _sources, $"shard {_shard} updates with the gradients that it has reduced");
        var part = 0;
        for (var i = 0; i < _routes.Count; i++)
        {
            var route = _routes[i];
            _found[i] = route.Holder == _run.Node
                ? _run.Gradients.Find(sources[route.First])
                : new(route.Node.Level, route.Node.Index, this, _parts[part++].Buffer, _run.Ranges[_shard.Number].Offset);
        }

        return _found.AsSpan(0, _routes.Count);
    }

    public ReadOnlySpan<float> Buffer(int number) => _buffers[number].Span;

    public void Dispose()
    {
        Cancel();
        foreach (var lane in _lanes.Values)
        {
            lane.Lane.Dispose();
        }

        foreach (var buffer in _buffers)
        {
            buffer.Dispose();
        }
    }

    /// <summary>Finds the parts that sources need, keeps those that are known already, and ends the fetches of others.</summary>
    private void Aim(Epoch epoch, Step step, ReductionSource[] sources)
    {
        (_at, _work, _sources) = ((epoch, step), null, null);
        _former.Clear();
        _former.AddRange(_parts);
        _parts.Clear();
        GradientRoutes.Find(_run.Tree, sources, _run.Node, _routes);
        foreach (var route in _routes)
        {
            if (Known(route, sources) is { } part)
            {
                (part.First, part.IsGivenUp) = (route.First, false);
                _parts.Add(part);
            }
        }

        foreach (var route in _routes)
        {
            if (route.Holder != _run.Node && Known(route, sources) is null)
            {
                _parts.Add(new(route.Holder, route.Node, sources.AsMemory(route.First, route.Count), FreeBuffer()) { First = route.First });
            }
        }

        _parts.Sort(static (one, other) => one.First.CompareTo(other.First));
        foreach (var lane in _lanes.Values)
        {
            if (lane.Part is { } part && !_parts.Contains(part))
            {
                lane.Lane.Cancel();
            }
        }
    }

    private GradientPart? Known(in GradientRoute route, ReductionSource[] sources)
    {
        foreach (var part in _former)
        {
            if (part.IsSumOf(route, sources))
            {
                return part;
            }
        }

        return null;
    }

    private int FreeBuffer()
    {
        // Of one number more than there are parts, one is free: mostly the last, which matters where there are hundreds.
        var number = _parts.Count;
        while (_parts.Exists(part => part.Buffer == number))
        {
            number--;
        }

        if (number == _buffers.Count)
        {
            _buffers.Add(new(_run.Ranges[_shard.Number].Length));
        }

        return number;
    }

    /// <summary>Begins whatever fetch can be begun, and says so when all has come that somebody waits for.</summary>
    private void Advance()
    {
        var isAllHere = true;
        foreach (var part in _parts)
        {
            isAllHere &= part.IsHere;
            if (part is { IsHere: false, IsGivenUp: false })
            {
                Start(part);
            }
        }

        if (isAllHere && _work is { } work)
        {
            _work = null;
            _self.Tell(new GradientsGathered(work), _self);
        }
    }

    private void Start(GradientPart part)
    {
        var lane = LaneTo(part.Holder);
        if (lane.Part is not null || lane.IsResting || IsBeingWritten(part.Buffer))
        {
            return;
        }

        if (_run.Directory.Find(part.Holder) is not { } place)
        {
            // Not heard of yet, or lost: then a newer order comes.
            Rest(lane);
            return;
        }

        var range = _run.Ranges[_shard.Number];
        lane.Part = part;
        lane.Lane.To(place.Channel).Fetch(
            TensorRequest.Gradient(_at.Epoch, _at.Step, _shard, range.Offset, range.Length, part.Node, part.Sources, WaitMilliseconds),
            new BufferDestination(range.Offset, _buffers[part.Buffer]),
            lane.Ended);
    }

    private void Rest(PeerLane lane)
    {
        lane.IsResting = true;
        if (!_isDue)
        {
            // One for all lanes, which it wakes: one for each would have each of them order as many again.
            _isDue = true;
            _run.Scheduler.ScheduleTellOnce(RetryDelay, _self, new PartsDue(this), ActorRefs.NoSender);
        }
    }

    /// <summary>A fetch that was cancelled may still be writing.</summary>
    private bool IsBeingWritten(int buffer)
    {
        foreach (var lane in _lanes.Values)
        {
            if (lane.Part?.Buffer == buffer)
            {
                return true;
            }
        }

        return false;
    }

    private PeerLane LaneTo(NodeId node)
    {
        if (!_lanes.TryGetValue(node, out var lane))
        {
            DropLanesOfTheGone();
            var self = _self;
            lane = new(new(_run.Channel.Transport, Lanes.Gradient(_shard.Number)),
                (in TensorRequest _, in FetchResult result) => self.Tell(new PartFetched(this, node, result), ActorRefs.NoSender));
            _lanes.Add(node, lane);
        }

        return lane;
    }

    private void DropLanesOfTheGone()
    {
        foreach (var (node, lane) in _lanes)
        {
            if (lane.Part is null && _run.Directory.Find(node) is null)
            {
                lane.Lane.Dispose();
                _lanes.Remove(node);
            }
        }
    }

    private sealed class PeerLane(MovingLane lane, FetchEnded ended)
    {
        public MovingLane Lane => lane;

        public FetchEnded Ended => ended;

        /// <summary>What is being fetched; none when nothing is.</summary>
        public GradientPart? Part { get; set; }

        /// <summary>Whether it failed just now.</summary>
        public bool IsResting { get; set; }
    }
}
