using System.Collections.Concurrent;
using Cllm.Actors.Channel;

namespace Cllm.Tests.Cluster;

/// <summary>A store that keeps what was given out, and withdraws what a test names when it has been read to its end.</summary>
internal sealed class WatchedStore(ITensorStore inner, ConcurrentQueue<(TensorKind Kind, int Shard, long Step)> given, Func<TensorRequest, bool> isWithdrawn)
    : ITensorStore
{
    public TensorSignal Changed => inner.Changed;

    public ITensorReader CreateReader() => new Reader(inner.CreateReader(), given, isWithdrawn);

    private sealed class Reader(ITensorReader inner, ConcurrentQueue<(TensorKind, int, long)> given, Func<TensorRequest, bool> isWithdrawn) : ITensorReader
    {
        private TensorRequest _request;

        public TensorOpening Open(in TensorRequest request)
        {
            _request = request;
            return inner.Open(request);
        }

        public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch) => inner.Read(section, offset, length, scratch);

        public TensorRefusal Close()
        {
            var refusal = inner.Close();
            if (refusal.Reason == RefusalReason.None && isWithdrawn(_request))
            {
                refusal = new(RefusalReason.Withdrawn, "The test withdraws it.");
            }

            if (refusal.Reason == RefusalReason.None)
            {
                given.Enqueue((_request.Kind, _request.Number, _request.Step.Number));
            }

            return refusal;
        }

        public void Dispose() => inner.Dispose();
    }
}
