using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Local;

/// <summary>
/// Which gradient is in which buffer of which worker of this process: how shards find by name what messages do not carry.
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

    /// <summary>A worker holds a gradient in a buffer for a lease.</summary>
    public void Hold(WorkerId worker, BufferLease buffer)
    {
        var place = _places[worker.Number - firstWorker]!;
        if (buffer.Number >= place.Leases.Length)
        {
            Array.Resize(ref place.Leases, Math.Max(buffer.Number + 1, 2 * place.Leases.Length));
        }

        place.Leases[buffer.Number] = buffer.Lease;
    }

    /// <summary>The gradient that a source names.</summary>
    /// <exception cref="InvalidOperationException">The worker does not hold it any more.</exception>
    public GradientSource Find(ReductionSource source)
    {
        return TryFind(source, out var found) ? found : throw new InvalidOperationException(
            $"Worker {source.Worker} does not hold the gradient of lease {source.Buffer.Lease} any more.");
    }

    /// <summary>The gradient that a source names, if a worker of this process holds it.</summary>
    public bool TryFind(ReductionSource source, out GradientSource found)
    {
        var (place, number) = (PlaceOf(source.Worker), source.Buffer.Number);
        if (place is null || (uint)number >= (uint)place.Leases.Length || place.Leases[number] != source.Buffer.Lease)
        {
            found = default;
            return false;
        }

        found = new(source.Node.Level, source.Node.Index, place.Compute, number);
        return true;
    }

    private Place? PlaceOf(WorkerId worker)
    {
        var place = worker.Number - firstWorker;
        return (uint)place < (uint)_places.Length ? Volatile.Read(ref _places[place]) : null;
    }

    private sealed class Place(IWorkerCompute compute)
    {
        public LeaseId[] Leases = new LeaseId[4];

        public IWorkerCompute Compute => compute;
    }
}
