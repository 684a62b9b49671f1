using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Identity;

namespace Cllm.Benchmarks.Channel;

/// <summary>One lane's share of a tensor, fetched again and again.</summary>
internal sealed class TimedFetch : IDisposable
{
    private readonly ITensorLane _lane;
    private readonly BufferDestination _destination;
    private readonly TensorRequest _request;
    private readonly SemaphoreSlim _done = new(0);
    private readonly FetchEnded _ended;
    private FetchResult _result;

    public TimedFetch(ITensorLane lane, AlignedBuffer buffer, int number, int count)
    {
        _lane = lane;
        _destination = new(0, buffer);
        long start = (long)buffer.Length * number / count, end = (long)buffer.Length * (number + 1) / count;
        _request = TensorRequest.Weights(default, default, new(0), start, end - start, 0);
        _ended = (in TensorRequest request, in FetchResult result) =>
        {
            _result = result;
            _done.Release();
        };
    }

    /// <summary>Fetches over all lanes at once.</summary>
    public static void All(TimedFetch[] fetches)
    {
        Array.ForEach(fetches, static fetch => fetch.Begin());
        Array.ForEach(fetches, static fetch => fetch.End());
    }

    public void Dispose()
    {
        _lane.Dispose();
        _done.Dispose();
    }

    private void Begin() => _lane.Fetch(_request, _destination, _ended);

    private void End()
    {
        _done.Wait();
        if (_result.Outcome != FetchOutcome.Done)
        {
            throw new InvalidOperationException(_result.Sentence);
        }
    }
}
