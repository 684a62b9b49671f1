using Cllm.Actors.Channel;
using Cllm.Protocol.Identity;
using Cllm.Simulation.Channel;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>The weights in a simulated process's memory, slice by slice, and what fetches those that other processes make.</summary>
internal sealed class ProcessSlices : IDisposable
{
    private const int WaitMilliseconds = 5_000;
    private const long RetryTicks = Scenario.Second / 5;
    private const long LateTicks = 20 * Scenario.Second;

    private readonly SimulatedCluster _cluster;
    private readonly SimulatedNode _node;
    private readonly Place[] _places;

    /// <summary>The step that a worker waits for; none while nobody does.</summary>
    private long? _wanted;

    /// <summary>The newest step that was waited for, and the epoch of that.</summary>
    private (Epoch Epoch, long Step) _newest;

    public ProcessSlices(SimulatedCluster cluster, SimulatedNode node)
    {
        (_cluster, _node) = (cluster, node);
        _places = [.. Enumerable.Range(0, cluster.ShardCount).Select(shard => new Place(shard))];
    }

    /// <summary>Pulsed when a slice of a shard of this process has come to stand somewhere.</summary>
    public TensorSignal Changed { get; } = new();

    /// <summary>Grows whenever a weight in this memory changes.</summary>
    public long Version { get; private set; }

    /// <summary>The weights of all slices.</summary>
    public float[][] Weights => Array.ConvertAll(_places, place => place.Weights);

    /// <summary>Whether the weights of a step are here, all of them.</summary>
    public bool AreAt(long step) => Array.TrueForAll(_places, place => place.Step == step);

    /// <summary>A worker waits for the weights of a step. It is told to look again when they may be here; one whose lease is older than another's never is.</summary>
    public void Want(Epoch epoch, long step)
    {
        if (epoch.Number < _newest.Epoch.Number || (epoch == _newest.Epoch && step < _newest.Step))
        {
            return;
        }

        _newest = (epoch, step);
        if (_wanted != step)
        {
            _wanted = step;
            foreach (var place in _places)
            {
                place.Lane?.Cancel();
            }
        }

        Advance();
    }

    /// <summary>A shard of this very process stands at a step.</summary>
    public void Stand(int shard, long step, float[] weights)
    {
        Put(_places[shard], step, weights);
        Changed.Pulse();
    }

    /// <summary>A shard of this very process begins to change its slice: until it stands again, it is neither step's.</summary>
    public void Change(int shard)
    {
        _places[shard].Step = null;
        Version++;
    }

    public void Dispose()
    {
        _wanted = null;
        foreach (var place in _places)
        {
            place.Lane?.Dispose();
        }
    }

    /// <summary>Whether a shard of this process writes there, so that nobody else does: it may be one that another process owns by now, until it hears of that.</summary>
    private bool IsOwn(Place place) => _node.Shards.GetValueOrDefault(place.Shard) is { Actor: not null };

    private void Put(Place place, long step, float[] weights)
    {
        Version += place.Step == step && place.Weights.AsSpan().SequenceEqual(weights) ? 0 : 1;
        (place.Step, place.Weights) = (step, weights);
        _cluster.In(_node, 0, Tell);
    }

    private void Tell()
    {
        if (_wanted is { } step && AreAt(step))
        {
            _wanted = null;
            foreach (var seat in _cluster.Workers.ToArray())
            {
                if (seat.Node == _node)
                {
                    seat.Actor?.GoOn();
                }
            }
        }
    }

    /// <summary>Fetches what is wanted and not under way.</summary>
    private void Advance()
    {
        foreach (var place in _places)
        {
            if (_wanted is { } step && place.Step != step && !place.IsBusy)
            {
                place.IsBusy = true;
                var late = _cluster.Strikes(FaultKind.LateWeights) ? _cluster.Jitter(LateTicks) : 0;
                _cluster.In(_node, late, () => Fetch(place));
            }
        }
    }

    private void Fetch(Place place)
    {
        place.IsBusy = false;
        if (_wanted is not { } step || place.Step == step)
        {
            return;
        }

        place.IsBusy = true;
        if (IsOwn(place) || _cluster.OwnerOf(_node, place.Shard) is not { Address: { } address } owner || owner == _node)
        {
            Rest(place);
            return;
        }

        var range = _cluster.Arithmetic.Range(place.Shard);
        var destination = new ArrayDestination(1, range.Length);
        place.MoveTo(_cluster.Channel.For(_node.Index), address).Fetch(
            TensorRequest.Weights(_cluster.PersistedEpoch, new(step), new(place.Shard), range.Offset, range.Length, WaitMilliseconds), destination,
            (in TensorRequest request, in FetchResult result) =>
            {
                var (outcome, fetched) = (result.Outcome, request.Step.Number);
                _cluster.In(_node, 0, () => End(place, outcome, fetched, destination.Sections[0]));
            });
    }

    private void End(Place place, FetchOutcome outcome, long step, float[] weights)
    {
        if (outcome != FetchOutcome.Done)
        {
            Rest(place);
            return;
        }

        place.IsBusy = false;
        if (step == _wanted && !IsOwn(place))
        {
            Put(place, step, weights);
        }

        Advance();
    }

    private void Rest(Place place) => _cluster.In(_node, RetryTicks, () => Fetch(place));

    /// <summary>A slice's place in the memory.</summary>
    private sealed class Place(int shard)
    {
        private ChannelAddress? _peer;

        public int Shard => shard;

        /// <summary>The step of the weights; none before the first.</summary>
        public long? Step { get; set; }

        public float[] Weights { get; set; } = [];

        /// <summary>Whether a fetch is under way or about to begin.</summary>
        public bool IsBusy { get; set; }

        public ITensorLane? Lane { get; private set; }

        public ITensorLane MoveTo(ITensorTransport transport, ChannelAddress peer)
        {
            if (_peer != peer)
            {
                Lane?.Dispose();
                (Lane, _peer) = (transport.Open(peer, shard), peer);
            }

            return Lane!;
        }
    }
}
