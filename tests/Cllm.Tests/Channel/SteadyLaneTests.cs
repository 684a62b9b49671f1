using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;
using Cllm.Tests.Actors;

namespace Cllm.Tests.Channel;

/// <summary>Runs while no other test does, for the heap belongs to the whole process.</summary>
[Collection(Alone.Name)]
public sealed class SteadyLaneTests
{
    private const int Floats = 200_000;
    private const int Rounds = 400;

    [Fact]
    public void Fetches_allocate_nothing_at_either_end()
    {
        using var store = new SampleStore(Floats);
        using var channel = new SocketChannel(store);
        using AlignedBuffer a = new(Floats), b = new(Floats), c = new(Floats);
        TensorRequest[] requests =
        [
            TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0),
            TensorRequest.Gradient(new(5), new(3), new(0), 0, Floats, new(1, 0), SampleStore.Sources),
            TensorRequest.State(new(5), new(3), new(0), 0, Floats),
        ];
        ITensorDestination[] destinations = [new BufferDestination(0, a), new BufferDestination(0, a), new BufferDestination(0, a, b, c)];
        using var round = new Round(channel.Transport.Open(channel.Address, 0), requests, destinations);
        for (var i = 0; i < 50; i++)
        {
            round.Run();
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Rounds; i++)
        {
            round.Run();
        }

        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.True(allocated < Rounds * requests.Length, $"{allocated} bytes were allocated by {Rounds * requests.Length} fetches");
    }

    /// <summary>Fetches one request after the other, and waits, without allocating itself.</summary>
    private sealed class Round : IDisposable
    {
        private readonly object _gate = new();
        private readonly ITensorLane _lane;
        private readonly TensorRequest[] _requests;
        private readonly ITensorDestination[] _destinations;
        private readonly FetchEnded _ended;
        private FetchResult? _result;

        public Round(ITensorLane lane, TensorRequest[] requests, ITensorDestination[] destinations)
        {
            (_lane, _requests, _destinations, _ended) = (lane, requests, destinations, Hear);
        }

        public void Run()
        {
            for (var i = 0; i < _requests.Length; i++)
            {
                _result = null;
                _lane.Fetch(_requests[i], _destinations[i], _ended);
                lock (_gate)
                {
                    while (_result is null)
                    {
                        Monitor.Wait(_gate);
                    }
                }

                if (_result.Value.Outcome != FetchOutcome.Done)
                {
                    Assert.Fail(_result.Value.Sentence);
                }
            }
        }

        public void Dispose() => _lane.Dispose();

        private void Hear(in TensorRequest request, in FetchResult result)
        {
            lock (_gate)
            {
                _result = result;
                Monitor.Pulse(_gate);
            }
        }
    }
}
