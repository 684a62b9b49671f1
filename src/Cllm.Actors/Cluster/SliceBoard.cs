using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;

namespace Cllm.Actors.Cluster;

/// <summary>Parts of a slice.</summary>
[Flags]
internal enum SliceParts
{
    /// <summary>The weights.</summary>
    Weights = 1,

    /// <summary>Both moments.</summary>
    Moments = 2,

    /// <summary>All.</summary>
    All = Weights | Moments,
}

/// <summary>
/// The step at which each shard's slice in this process's memory stands. Whatever happens, a slice at a step has the same bits, so shard and step name its content.
/// </summary>
/// <remarks>
/// Who writes to a slice says so before its first byte and after its last one. Who reads without being in the way of writers compares versions: if it is the
/// same behind the reading as before, nothing was written meanwhile. Of writers there is one at a time: a shard updates its slice from the step at which it stands here, and
/// nothing else is written to that meanwhile, although the shard may be another process's by then, and its actor here late.
/// </remarks>
internal sealed class SliceBoard(int shards)
{
    /// <summary>No step.</summary>
    public const long None = -1;

    private readonly object _gate = new();
    private readonly long[] _weights = Filled(shards);
    private readonly long[] _moments = Filled(shards);
    private readonly long[] _versions = new long[shards];
    private long _weightsVersion;
    private readonly List<(long Step, IActorRef Worker)> _waiting = [];
    private readonly bool[] _updating = new bool[shards];

    /// <summary>Who waits for an update to be over; none most of the time.</summary>
    private IActorRef? _awaiting;

    /// <summary>
    /// Pulsed when the whole of a slice has come to stand at a step, weights and moments, or stands there no longer, and when it is owned here no longer. Not for
    /// weights alone, which are fetched: nobody is asked for those, and each pulse wakes all lanes that wait for a slice.
    /// </summary>
    public TensorSignal Changed { get; } = new();

    /// <summary>The step of a slice's weights; -1 while they are no step's.</summary>
    public long WeightsOf(int shard)
    {
        lock (_gate)
        {
            return _weights[shard];
        }
    }

    /// <summary>The step of all of a slice; -1 when its parts are of different steps or of none.</summary>
    public long AllOf(int shard)
    {
        lock (_gate)
        {
            return _weights[shard] == _moments[shard] ? _weights[shard] : None;
        }
    }

    /// <summary>Where a slice stands, with the version to compare behind the reading.</summary>
    public (long Weights, long Moments, long Version) Look(int shard)
    {
        lock (_gate)
        {
            return (_weights[shard], _moments[shard], _versions[shard]);
        }
    }

    /// <summary>Whether nothing was written to a slice since a version was read.</summary>
    public bool IsAt(int shard, long version)
    {
        lock (_gate)
        {
            return _versions[shard] == version;
        }
    }

    /// <summary>Grows with each beginning and end of a change of weights.</summary>
    public long WeightsVersion
    {
        get
        {
            lock (_gate)
            {
                return _weightsVersion;
            }
        }
    }

    /// <summary>Whether all weights stand at a step.</summary>
    public bool AreWeightsAt(long step)
    {
        lock (_gate)
        {
            return AreAt(step);
        }
    }

    /// <summary>Has a worker told when all weights stand at a step.</summary>
    /// <returns>Whether they do already; it is told then as well.</returns>
    public bool Await(long step, IActorRef worker)
    {
        lock (_gate)
        {
            if (!AreAt(step))
            {
                _waiting.RemoveAll(waiting => waiting.Worker.Equals(worker));
                _waiting.Add((step, worker));
                return false;
            }
        }

        worker.Tell(WeightsArrived.Instance, ActorRefs.NoSender);
        return true;
    }

    /// <summary>A slice is about to be updated.</summary>
    /// <returns>Whether all of it stands at the step from which it is updated.</returns>
    public bool BeginUpdate(int shard, long step)
    {
        lock (_gate)
        {
            if (_weights[shard] != step || _moments[shard] != step)
            {
                return false;
            }

            _updating[shard] = true;
            Set(shard, SliceParts.All, None);
        }

        Changed.Pulse();
        return true;
    }

    /// <summary>The update of a slice is over, well or badly.</summary>
    public void EndUpdate(int shard)
    {
        IActorRef? awaiting;
        lock (_gate)
        {
            _updating[shard] = false;
            (awaiting, _awaiting) = (_awaiting, null);
        }

        awaiting?.Tell(UpdateEnded.Instance, ActorRefs.NoSender);
    }

    /// <summary>All of a slice is about to be written by somebody else than its shard.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="writer">Is told when it may ask again.</param>
    /// <returns>Whether it may be; not while it is updated.</returns>
    public bool TryChange(int shard, IActorRef writer)
    {
        lock (_gate)
        {
            if (_updating[shard])
            {
                _awaiting = writer;
                return false;
            }

            Set(shard, SliceParts.All, None);
        }

        Changed.Pulse();
        return true;
    }

    /// <summary>Everything is about to be written.</summary>
    /// <returns>Whether it may be; not while a slice is updated.</returns>
    public bool TryChangeAll()
    {
        lock (_gate)
        {
            if (Array.IndexOf(_updating, true) >= 0)
            {
                return false;
            }

            for (var shard = 0; shard < _updating.Length; shard++)
            {
                Set(shard, SliceParts.All, None);
            }
        }

        Changed.Pulse();
        return true;
    }

    /// <summary>Whether no slice is updated.</summary>
    /// <param name="writer">Is told when it may ask again.</param>
    public bool AreUpdatesOver(IActorRef writer)
    {
        lock (_gate)
        {
            var areOver = Array.IndexOf(_updating, true) < 0;
            _awaiting = areOver ? _awaiting : writer;
            return areOver;
        }
    }

    /// <summary>Parts of a slice are about to be written.</summary>
    public void Change(int shard, SliceParts parts)
    {
        lock (_gate)
        {
            Set(shard, parts, None);
        }

        Pulse(parts);
    }

    /// <summary>Parts of a slice stand at a step.</summary>
    public void Stand(int shard, SliceParts parts, long step)
    {
        lock (_gate)
        {
            Set(shard, parts, step);
            if (_waiting.Count > 0 && AreAt(step))
            {
                TellWaiting(step);
            }
        }

        Pulse(parts);
    }

    private static long[] Filled(int length)
    {
        var steps = new long[length];
        Array.Fill(steps, None);
        return steps;
    }

    private void Pulse(SliceParts parts)
    {
        if (parts == SliceParts.All)
        {
            Changed.Pulse();
        }
    }

    private bool AreAt(long step)
    {
        foreach (var at in _weights)
        {
            if (at != step)
            {
                return false;
            }
        }

        return true;
    }

    private void Set(int shard, SliceParts parts, long step)
    {
        _versions[shard]++;
        _weightsVersion += parts.HasFlag(SliceParts.Weights) ? 1 : 0;
        _weights[shard] = parts.HasFlag(SliceParts.Weights) ? step : _weights[shard];
        _moments[shard] = parts.HasFlag(SliceParts.Moments) ? step : _moments[shard];
    }

    private void TellWaiting(long step)
    {
        foreach (var waiting in _waiting)
        {
            if (waiting.Step == step)
            {
                waiting.Worker.Tell(WeightsArrived.Instance, ActorRefs.NoSender);
            }
        }

        _waiting.RemoveAll(waiting => waiting.Step == step);
    }
}
