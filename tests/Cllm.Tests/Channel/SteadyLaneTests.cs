using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;
using Cllm.Tests.Actors;

namespace Cllm.Tests.Channel;

/// <summary>Runs while no other test does, for the heap belongs to the whole process.</summary>
[Collection(Alone.Name)]
public sealed class SteadyLaneTests
{
    private const int Floats = 200_000;
    private const int Windows = 60;
    private const int FetchesPerWindow = 8;

    [Theory]
    [InlineData(TensorKind.Weights, false, false)]
    [InlineData(TensorKind.Weights, true, false)]
    [InlineData(TensorKind.Weights, true, true)]
    [InlineData(TensorKind.Gradient, false, false)]
    [InlineData(TensorKind.State, false, false)]
    [InlineData(TensorKind.Update, false, false)]
    public void Fetches_allocate_nothing_at_either_end(TensorKind kind, bool isOverTcp, bool isSecure)
    {
        using var store = new SampleStore(Floats);
        var limits = isOverTcp ? SocketChannel.OverTcp : null;
        using var channel = isSecure
            ? new SocketChannel(store, limits, TlsConformanceTests.Tls(), TlsConformanceTests.Tls())
            : new SocketChannel(store, limits);
        using AlignedBuffer a = new(store.Sum.Length), b = new(Floats), c = new(Floats);
        var request = kind switch
        {
            TensorKind.Weights => TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0),
            TensorKind.Gradient => TensorRequest.Gradient(new(5), new(3), new(0), 0, Floats, new(1, 0), SampleStore.Sources),
            TensorKind.Update => TensorRequest.Update(new(5), new(3), new(0), 0, Floats),
            _ => TensorRequest.State(new(5), new(3), new(0), 0, Floats),
        };
        var destination = kind == TensorKind.State ? new BufferDestination(0, a, b, c) : new BufferDestination(0, a);
        using var round = new Round(channel.Transport.Open(channel.Address, 0), request, destination);
        var fewest = long.MaxValue;
        for (var window = 0; window < Windows; window++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < FetchesPerWindow; i++)
            {
                round.Run();
            }

            fewest = Math.Min(fewest, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // The runtime and the test runner allocate now and then; what a fetch allocates would be in every window.
        Assert.Equal(0, fewest);
    }

    /// <summary>Fetches and waits, without allocating itself.</summary>
    private sealed class Round : IDisposable
    {
        private readonly object _gate = new();
        private readonly ITensorLane _lane;
        private readonly TensorRequest _request;
        private readonly ITensorDestination _destination;
        private readonly FetchEnded _ended;
        private FetchResult? _result;

        public Round(ITensorLane lane, TensorRequest request, ITensorDestination destination)
        {
            (_lane, _request, _destination, _ended) = (lane, request, destination, Hear);
        }

        public void Run()
        {
            _result = null;
            _lane.Fetch(_request, _destination, _ended);
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
