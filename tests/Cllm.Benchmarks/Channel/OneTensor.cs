using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks.Channel;

/// <summary>A store that answers every request with ranges of one buffer.</summary>
internal sealed class OneTensor(AlignedBuffer buffer) : ITensorStore
{
    public TensorSignal Changed { get; } = new();

    public ITensorReader CreateReader() => new Reader(buffer);

    private sealed class Reader(AlignedBuffer buffer) : ITensorReader
    {
        private long _start;

        public TensorOpening Open(in TensorRequest request)
        {
            _start = request.Offset;
            return TensorOpening.Ready;
        }

        public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch) =>
            MemoryMarshal.AsBytes(buffer.Span.Slice((int)(_start + (offset / sizeof(float))), length / sizeof(float)));

        public TensorRefusal Close() => TensorRefusal.None;

        public void Dispose()
        {
        }
    }
}
