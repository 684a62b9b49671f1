using Cllm.Actors.Channel;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Local;

/// <summary>Whether a part of a gradient can be read.</summary>
internal enum GradientState
{
    /// <summary>It can.</summary>
    Ready,

    /// <summary>Its worker computes it, or may be about to.</summary>
    Coming,

    /// <summary>Its worker does not hold it any more, or has gone.</summary>
    Gone,
}

/// <summary>
/// Which gradient is in which buffer of which worker of this process, and how much of it is final: how shards find by name what messages do not carry.
/// </summary>
/// <remarks>
/// A worker writes its own place before it sends the message that names the buffer, and a shard reads it after a message that names it, so each sees what
/// the other wrote. A worker may fail at a leaf that another one answered first, while shards read the gradients it holds: it is struck off when no shard
/// reads, and its memory is given back after that.
/// </remarks>
internal sealed class GradientBoard(int workers, int firstWorker = 0)
{
    private readonly object _gate = new();
    private readonly Place?[] _places = new Place?[workers];
    private int _readers;

    /// <summary>Pulsed when what somebody looked for in vain may be found, or has gone; none where nobody waits.</summary>
    public TensorSignal? Changed { get; set; }

    /// <summary>A worker's arithmetic is there, with no buffer held.</summary>
    public void Enter(WorkerId worker, IWorkerCompute compute) => Volatile.Write(ref _places[worker.Number - firstWorker], new(compute));

    /// <summary>A worker's arithmetic is about to be disposed.</summary>
    public void Leave(WorkerId worker)
    {
        lock (_gate)
        {
            while (_readers > 0)
            {
                Monitor.Wait(_gate);
            }

            Volatile.Write(ref _places[worker.Number - firstWorker], null);
        }

        Changed?.Pulse();
    }

    /// <summary>A shard is about to find and read gradients: until it has, nobody's memory is given back.</summary>
    public void BeginReading()
    {
        lock (_gate)
        {
            _readers++;
        }
    }

    /// <summary>A shard has read what it found.</summary>
    public void EndReading()
    {
        lock (_gate)
        {
            if (--_readers == 0)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>A worker begins with a lease; what it was leased before and has not computed does not come any more.</summary>
    public void Begin(WorkerId worker, LeaseId lease)
    {
        var place = _places[worker.Number - firstWorker]!;
        lock (place)
        {
            (place.Begun, place.Coming) = (lease, lease);
        }
    }

    /// <summary>A worker holds a gradient in a buffer for a lease.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="offset">From which number of the vector on it is final.</param>
    public void Hold(WorkerId worker, BufferLease buffer, int offset = 0)
    {
        var place = _places[worker.Number - firstWorker]!;
        bool isAwaited;
        lock (place)
        {
            if (buffer.Number >= place.Held.Length)
            {
                Array.Resize(ref place.Held, Math.Max(buffer.Number + 1, 2 * place.Held.Length));
            }

            place.Held[buffer.Number] = new() { Lease = buffer.Lease, Offset = offset };
            isAwaited = place.TakeAwaited(offset);
        }

        if (isAwaited)
        {
            Changed?.Pulse();
        }
    }

    /// <summary>A worker's buffers are about to be written again: what others read of them from now on is nothing.</summary>
    public void Release(WorkerId worker)
    {
        var place = _places[worker.Number - firstWorker]!;
        bool isAwaited;
        lock (place)
        {
            for (var i = 0; i < place.Held.Length; i++)
            {
                place.Held[i].Offset = int.MaxValue;
            }

            place.Coming = place.Begun.Next;
            isAwaited = place.TakeAwaited(0);
        }

        if (isAwaited)
        {
            Changed?.Pulse();
        }
    }

    /// <summary>The gradient that a source names.</summary>
    /// <exception cref="InvalidOperationException">The worker does not hold it any more.</exception>
    public GradientSource Find(ReductionSource source)
    {
        var found = default(GradientSource);
        if (PlaceOf(source.Worker) is { } place)
        {
            lock (place)
            {
                found = place.Found(source);
            }
        }

        return found.Holder is not null ? found : throw new InvalidOperationException(
            $"Worker {source.Worker} does not hold the gradient of lease {source.Buffer.Lease} any more.");
    }

    /// <summary>Looks for a part of the gradient that a source names. Whoever finds that it is coming looks again when <see cref="Changed"/> was pulsed.</summary>
    /// <param name="source">The source; its buffer may be <see cref="BufferLease.Any"/>.</param>
    /// <param name="offset">The part's first number.</param>
    /// <param name="found">The gradient, when it is ready.</param>
    public GradientState Look(ReductionSource source, long offset, out GradientSource found)
    {
        found = default;
        if (PlaceOf(source.Worker) is not { } place)
        {
            return GradientState.Gone;
        }

        lock (place)
        {
            found = place.Found(source);
            if (found.Holder is not null && place.Held[found.Buffer].Offset <= offset)
            {
                return GradientState.Ready;
            }

            if (source.Buffer.Lease.Number < place.Coming.Number)
            {
                return GradientState.Gone;
            }

            place.AwaitedOffset = Math.Max(place.AwaitedOffset, offset);
            return GradientState.Coming;
        }
    }

    private Place? PlaceOf(WorkerId worker)
    {
        var place = worker.Number - firstWorker;
        return (uint)place < (uint)_places.Length ? Volatile.Read(ref _places[place]) : null;
    }

    /// <summary>What is in a buffer.</summary>
    private struct Holding
    {
        public LeaseId Lease;

        /// <summary>From where on it is final.</summary>
        public int Offset;
    }

    /// <summary>A worker's place, locked by whoever uses it.</summary>
    private sealed class Place(IWorkerCompute compute)
    {
        private const long Nowhere = -1;

        public Holding[] Held = new Holding[4];

        /// <summary>The lease that was begun last.</summary>
        public LeaseId Begun { get; set; }

        /// <summary>The first lease whose gradient may come about yet, or may come to be final.</summary>
        public LeaseId Coming { get; set; }

        /// <summary>The highest offset that was looked for in vain since the last pulse.</summary>
        public long AwaitedOffset { get; set; } = Nowhere;

        /// <summary>What a source names; without a holder when it is not there.</summary>
        public GradientSource Found(in ReductionSource source)
        {
            var number = source.Buffer.Number == BufferLease.Any ? NumberOf(source.Buffer.Lease) : source.Buffer.Number;
            return (uint)number < (uint)Held.Length && Held[number].Lease == source.Buffer.Lease
                ? new(source.Node.Level, source.Node.Index, compute, number)
                : default;
        }

        public bool TakeAwaited(int offset)
        {
            var isAwaited = AwaitedOffset >= offset;
            AwaitedOffset = isAwaited ? Nowhere : AwaitedOffset;
            return isAwaited;
        }

        private int NumberOf(LeaseId lease)
        {
            for (var number = 0; number < Held.Length; number++)
            {
                if (Held[number].Lease == lease)
                {
                    return number;
                }
            }

            return BufferLease.Any;
        }
    }
}
