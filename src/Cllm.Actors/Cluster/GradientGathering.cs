using System.Diagnostics;
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
/// Fetches the sums that other nodes hold for one shard, from all nodes at once, one sum at a time from each. What was fetched for a reduction is kept for the
/// update that follows it. Used by the shard's thread.
/// </summary>
internal sealed class GradientGathering : IGradientHolder, IDisposable
{
    /// <summary>A failed fetch is tried again after so long.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>Failing for this long is the shard's failure: the coordinator then hears of it, and sees to it that others do what was to be done.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NodeRun _run;
    private readonly ShardIndex _shard;
    private readonly IActorRef _self;
    private readonly List<GradientRoute> _routes = [];
    private readonly List<Part> _parts = [];
    private readonly Dictionary<NodeId, PeerLane> _lanes = [];
    private readonly List<AlignedBuffer> _buffers = [];
    private readonly GradientSource[] _found;

    /// <summary>The reduction that is waited for; none when all is there or nobody waits.</summary>
    private ReduceSlice? _work;

    /// <summary>The sources that the routes are for.</summary>
    private ReductionSource[]? _sources;
    private long _began;

    public GradientGathering(NodeRun run, ShardIndex shard, IActorRef self)
    {
        (_run, _shard, _self) = (run, shard, self);
        _found = new GradientSource[run.Tree.Leaves];
    }

    /// <summary>Begins to fetch what a reduction needs.</summary>
    /// <returns>Whether nothing has to be fetched.</returns>
    public bool Begin(ReduceSlice work)
    {
        Cancel();
        _sources = work.Sources;
        _parts.Clear();
        GradientRoutes.Find(_run.Tree, work.Sources, _run.Node, _routes);
        foreach (var route in _routes)
        {
            if (route.Holder != _run.Node)
            {
                _parts.Add(new(route, _parts.Count));
            }
        }

        if (_parts.Count == 0)
        {
            return true;
        }

        while (_buffers.Count < _parts.Count)
        {
            _buffers.Add(new(_run.Ranges[_shard.Number].Length));
        }

        (_work, _began) = (work, Stopwatch.GetTimestamp());
        Advance();
        return false;
    }

    /// <summary>Nobody waits any more; fetches that are under way end soon.</summary>
    public void Cancel()
    {
        _work = null;
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
        var lane = _lanes[fetched.From];
        var part = lane.Part!;
        lane.Part = null;
        if (fetched.Result.Outcome == FetchOutcome.Done)
        {
            part.IsHere = true;
        }
        else if (_work is not null && fetched.Result.Outcome != FetchOutcome.Cancelled)
        {
            lane.IsResting = true;
            _run.Scheduler.ScheduleTellOnce(RetryDelay, _self, new PartsDue(), ActorRefs.NoSender);
            Invariant.Holds(Stopwatch.GetElapsedTime(_began) < Patience,
                $"gradients of node {fetched.From} cannot be fetched for {Patience.TotalSeconds} s: {fetched.Result.Sentence}");
        }

        Advance();
    }

    /// <summary>What failed is tried again.</summary>
    public void TakeDue()
    {
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
                : new(route.Node.Level, route.Node.Index, this, part++, _run.Ranges[_shard.Number].Offset);
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

    /// <summary>Begins whatever fetch can be begun, and says so when all has come.</summary>
    private void Advance()
    {
        if (_work is not { } work)
        {
            return;
        }

        var isAllHere = true;
        foreach (var part in _parts)
        {
            isAllHere &= part.IsHere;
            if (!part.IsHere)
            {
                Start(part, work);
            }
        }

        if (isAllHere)
        {
            _work = null;
            _self.Tell(new GradientsGathered(work), _self);
        }
    }

    private void Start(Part part, ReduceSlice work)
    {
        var node = part.Route.Holder;
        var lane = LaneTo(node);
        if (lane.Part is not null || lane.IsResting || IsBeingWritten(part.Buffer))
        {
            return;
        }

        if (_run.Directory.Find(node) is not { } place)
        {
            // Not heard of yet, or lost: then a newer order comes.
            lane.IsResting = true;
            _run.Scheduler.ScheduleTellOnce(RetryDelay, _self, new PartsDue(), ActorRefs.NoSender);
            return;
        }

        var range = _run.Ranges[_shard.Number];
        var sources = work.Sources.AsMemory(part.Route.First, part.Route.Count);
        lane.Part = part;
        lane.Lane.To(place.Channel).Fetch(
            TensorRequest.Gradient(work.Epoch, work.Step, _shard, range.Offset, range.Length, part.Route.Node, sources),
            new BufferDestination(range.Offset, _buffers[part.Buffer]),
            lane.Ended);
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
                (in TensorRequest _, in FetchResult result) => self.Tell(new PartFetched(node, result), ActorRefs.NoSender));
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

    /// <summary>A sum that is fetched.</summary>
    private sealed class Part(GradientRoute route, int buffer)
    {
        public GradientRoute Route => route;

        public int Buffer => buffer;

        public bool IsHere { get; set; }
    }

    private sealed class PeerLane(MovingLane lane, FetchEnded ended)
    {
        public MovingLane Lane => lane;

        public FetchEnded Ended => ended;

        /// <summary>What is being fetched; none when nothing is.</summary>
        public Part? Part { get; set; }

        /// <summary>Whether it failed just now.</summary>
        public bool IsResting { get; set; }
    }
}
