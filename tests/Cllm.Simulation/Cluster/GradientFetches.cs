using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Simulation.Channel;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>
/// Fetches the sums that other processes hold for one shard, from all of them at once, one sum at a time from each, as the program's shards do. What was fetched
/// for a reduction is kept for the update that follows it.
/// </summary>
internal sealed class GradientFetches(SimulatedCluster cluster, ShardHost host, int shard) : IGradientHolder, IDisposable
{
    private const long RetryTicks = Scenario.Second / 5;
    private const long PatienceTicks = 60 * Scenario.Second;

    private readonly List<GradientRoute> _routes = [];
    private readonly List<Part> _parts = [];
    private readonly SortedDictionary<int, Peer> _peers = [];
    private ReductionSource[] _sources = [];

    /// <summary>The reduction that is waited for; none when all is there or nobody waits.</summary>
    private ReduceSlice? _work;
    private long _began;

    private SimulatedNode Node => host.Seat.Node;

    /// <summary>Begins to fetch what a reduction needs.</summary>
    /// <returns>Whether nothing has to be fetched.</returns>
    public bool Begin(ReduceSlice work)
    {
        Cancel();
        _sources = work.Sources;
        _parts.Clear();
        GradientRoutes.Find(cluster.Tree, _sources, new(Node.Index), _routes, worker => new(cluster.Workers[worker.Number].Node.Index));
        foreach (var route in _routes)
        {
            if (route.Holder.Number != Node.Index)
            {
                _parts.Add(new(route));
            }
        }

        if (_parts.Count > 0)
        {
            (_work, _began) = (work, cluster.NowTicks);
            Advance();
        }

        return _parts.Count == 0;
    }

    /// <summary>Nobody waits any more.</summary>
    public void Cancel()
    {
        _work = null;
        foreach (var peer in _peers.Values)
        {
            peer.Lane?.Cancel();
        }
    }

    /// <summary>The gradients of a reduction: fetched ones, and those of this process as they are now.</summary>
    /// <returns>How many; none when a worker of this process does not hold one any more.</returns>
    public int? Find(ReductionSource[] sources, Span<GradientSource> found)
    {
        if (!sources.AsSpan().SequenceEqual(_sources))
        {
            return null;
        }

        var (count, part) = (0, 0);
        foreach (var route in _routes)
        {
            if (route.Holder.Number != Node.Index)
            {
                found[count++] = new(route.Node.Level, route.Node.Index, this, part++, cluster.Arithmetic.Range(shard).Offset);
            }
            else if (cluster.Gradients.Look(sources[route.First], 0, out found[count++]) != GradientState.Ready)
            {
                return null;
            }
        }

        return count;
    }

    public ReadOnlySpan<float> Buffer(int number) => _parts[number].Sum!;

    public void Dispose()
    {
        _work = null;
        foreach (var peer in _peers.Values)
        {
            peer.Lane?.Dispose();
        }
    }

    private void Advance()
    {
        foreach (var part in _parts)
        {
            if (_work is { } work && part is { Sum: null, IsAsked: false })
            {
                var peer = PeerAt(part.Route.Holder.Number);
                if (!peer.IsBusy)
                {
                    Fetch(work, part, peer);
                }
            }
        }
    }

    private Peer PeerAt(int index)
    {
        if (!_peers.TryGetValue(index, out var peer))
        {
            _peers.Add(index, peer = new());
        }

        return peer;
    }

    private void Fetch(ReduceSlice work, Part part, Peer peer)
    {
        var range = cluster.Arithmetic.Range(shard);
        var destination = new ArrayDestination(1, range.Length);
        var sources = _sources.AsMemory(part.Route.First, part.Route.Count);
        (part.IsAsked, peer.IsBusy) = (true, true);
        peer.MoveTo(cluster.Channel.For(Node.Index), cluster.Nodes[part.Route.Holder.Number].Address!, shard).Fetch(
            TensorRequest.Gradient(work.Epoch, work.Step, new(shard), range.Offset, range.Length, part.Route.Node, sources), destination,
            (in TensorRequest _, in FetchResult result) =>
            {
                var ended = result;
                cluster.In(Node, 0, () => Take(part, peer, ended, destination.Sections[0]));
            });
    }

    private void Take(Part part, Peer peer, FetchResult result, float[] sum)
    {
        if (!host.IsAlive)
        {
            return;
        }

        part.IsAsked = false;
        if (result.Outcome == FetchOutcome.Done)
        {
            part.Sum = sum;
        }
        else if (_work is not null && cluster.NowTicks - _began > PatienceTicks)
        {
            cluster.Fail(host.Seat, $"gradients cannot be fetched: {result.Sentence}");
            return;
        }
        else if (result.Outcome != FetchOutcome.Cancelled)
        {
            cluster.In(Node, RetryTicks, () => GoOn(peer));
            return;
        }

        GoOn(peer);
    }

    private void GoOn(Peer peer)
    {
        peer.IsBusy = false;
        if (_work is { } work && _parts.TrueForAll(part => part.Sum is not null))
        {
            _work = null;
            host.Gathered(work);
        }
        else if (host.IsAlive)
        {
            Advance();
        }
    }

    /// <summary>A sum that another process holds.</summary>
    private sealed class Part(GradientRoute route)
    {
        public GradientRoute Route => route;

        public bool IsAsked { get; set; }

        /// <summary>The sum; none before it is here.</summary>
        public float[]? Sum { get; set; }
    }

    /// <summary>A machine that sums are fetched from.</summary>
    private sealed class Peer
    {
        private ChannelAddress? _address;

        /// <summary>Whether a fetch from it is under way, or has failed and is tried again later.</summary>
        public bool IsBusy { get; set; }

        public ITensorLane? Lane { get; private set; }

        public ITensorLane MoveTo(ITensorTransport transport, ChannelAddress address, int lane)
        {
            if (_address != address)
            {
                Lane?.Dispose();
                (Lane, _address) = (transport.Open(address, lane), address);
            }

            return Lane!;
        }
    }
}
