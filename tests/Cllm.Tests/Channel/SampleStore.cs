using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Tests.Channel;

/// <summary>A node's store: one shard (number 0) over a whole vector, at a step, two workers' gradients, and blob 0.</summary>
internal sealed class SampleStore : ITensorStore, IDisposable
{
    private long _step = 3;

    public SampleStore(int floats)
    {
        (Weights, First, Second, Sum) = (new(floats), new(floats), new(floats), new(floats + (TensorRequest.ScalarBytes / sizeof(float))));
        Gradients = [new(floats), new(floats)];
        var number = 1;
        foreach (var buffer in new[] { Weights, First, Second, Gradients[0], Gradients[1], Sum })
        {
            Fill(buffer, number++);
        }

        Bytes = new byte[floats];
        new Random(7).NextBytes(Bytes);
    }

    public TensorSignal Changed { get; } = new();

    public AlignedBuffer Weights { get; }

    public AlignedBuffer First { get; }

    public AlignedBuffer Second { get; }

    /// <summary>A summed gradient, with the scalars of the step behind it.</summary>
    public AlignedBuffer Sum { get; }

    public AlignedBuffer[] Gradients { get; }

    public byte[] Bytes { get; }

    /// <summary>Called before each chunk is read, on the thread that reads, with the chunk's offset.</summary>
    public Action<long>? Reading { get; set; }

    /// <summary>Whether the workers' gradients are final.</summary>
    public bool AreGradientsFinal
    {
        get => Volatile.Read(ref _areGradientsFinal);
        set
        {
            Volatile.Write(ref _areGradientsFinal, value);
            Changed.Pulse();
        }
    }

    /// <summary>What a close answers.</summary>
    public TensorRefusal AtClose { get; set; } = TensorRefusal.None;

    /// <summary>Closes minus openings is 0 when no request is under way.</summary>
    public int OpenRequests => Volatile.Read(ref _openRequests);

    public int Readers => Volatile.Read(ref _readers);

    public long Step => Volatile.Read(ref _step);

    private bool _areGradientsFinal = true;
    private int _openRequests;
    private int _readers;

    /// <summary>The two workers' buffers, held for leases 10 and 11, as the sum of node 1:0.</summary>
    public static ReductionSource[] Sources { get; } =
        [new(new(0, 0), new(0), new(new(10), 0)), new(new(0, 1), new(1), new(new(11), 0))];

    public static void Fill(AlignedBuffer buffer, int seed)
    {
        var random = new Random(seed);
        foreach (ref var number in buffer.Span)
        {
            number = random.NextSingle() - 0.5f;
        }
    }

    /// <summary>The next step's weights are there.</summary>
    public void Update()
    {
        Weights.Span[0] += 1;
        Interlocked.Increment(ref _step);
        Changed.Pulse();
    }

    public ITensorReader CreateReader()
    {
        Interlocked.Increment(ref _readers);
        return new Reader(this);
    }

    public void Dispose()
    {
        foreach (var buffer in new[] { Weights, First, Second, Gradients[0], Gradients[1], Sum })
        {
            buffer.Dispose();
        }
    }

    private sealed class Reader(SampleStore store) : ITensorReader
    {
        private TensorRequest _request;

        public TensorOpening Open(in TensorRequest request)
        {
            if (request.Number != 0)
            {
                return TensorOpening.Refuse(RefusalReason.Unknown, $"There is no shard {request.Number} here.");
            }

            if (request.Offset + request.Length > store.Weights.Length)
            {
                return TensorOpening.Refuse(RefusalReason.WrongRange, "The range ends behind the shard.");
            }

            if (request.Kind != TensorKind.Blob && request.Epoch.Number != 5)
            {
                return TensorOpening.Refuse(RefusalReason.WrongEpoch, "The epoch here is 5.");
            }

            if (request.Kind is not (TensorKind.Gradient or TensorKind.Blob) && request.Step.Number != store.Step)
            {
                return request.Step.Number > store.Step
                    ? TensorOpening.NotYet
                    : TensorOpening.Refuse(RefusalReason.Gone, $"Step {request.Step} is past.");
            }

            if (request.Kind == TensorKind.Gradient
                && (request.Node != new LeafNode(1, 0) || !request.Sources.Span.SequenceEqual(Sources)))
            {
                return TensorOpening.Refuse(RefusalReason.Gone, "The buffers are held for other leases.");
            }

            if (request.Kind == TensorKind.Gradient && !store.AreGradientsFinal)
            {
                return TensorOpening.NotYet;
            }

            _request = request;
            Interlocked.Increment(ref store._openRequests);
            return TensorOpening.Ready;
        }

        public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch)
        {
            store.Reading?.Invoke(offset);
            if (_request.Kind == TensorKind.Blob)
            {
                return store.Bytes.AsSpan((int)(_request.Offset + offset), length);
            }

            var (start, count) = ((int)(_request.Offset + (offset / sizeof(float))), length / sizeof(float));
            if (_request.Kind == TensorKind.Gradient)
            {
                GradientTree.Add(
                    store.Gradients[0].Span.Slice(start, count), store.Gradients[1].Span.Slice(start, count),
                    MemoryMarshal.Cast<byte, float>(scratch)[..count]);
                return scratch[..length];
            }

            if (_request.Kind == TensorKind.Update)
            {
                return MemoryMarshal.AsBytes(store.Sum.Span.Slice(start, count));
            }

            var place = _request.Kind == TensorKind.Moments ? section + 1 : section;
            var buffer = place == 0 ? store.Weights : place == 1 ? store.First : store.Second;
            return MemoryMarshal.AsBytes(buffer.Span.Slice(start, count));
        }

        public TensorRefusal Close()
        {
            Interlocked.Decrement(ref store._openRequests);
            return store.AtClose;
        }

        public void Dispose() => Interlocked.Decrement(ref store._readers);
    }
}
