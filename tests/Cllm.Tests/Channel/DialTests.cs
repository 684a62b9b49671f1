using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Channel;

/// <summary>Addresses at which nobody answers, or not in time.</summary>
public sealed class DialTests : IDisposable
{
    private readonly AlignedBuffer _buffer = new(10);

    private static TensorRequest Weights { get; } = TensorRequest.Weights(default, default, new(0), 0, 10, 0);

    public void Dispose() => _buffer.Dispose();

    [Theory]
    [InlineData("no-such-host.invalid", 1)]
    [InlineData("127.0.0.1", 70_000)]
    [InlineData("", 1)]
    public void An_address_that_leads_nowhere_is_lost(string host, int port)
    {
        using var lane = Lane(new(7, host, port, ChannelCredential.Draw()), new());
        var result = lane.Fetch(Weights, new BufferDestination(0, _buffer));
        Assert.Equal(FetchOutcome.Lost, result.Outcome);
        Assert.Contains("node 7", result.Sentence);
    }

    [Fact]
    public void A_connection_that_nobody_takes_is_given_up_in_time()
    {
        using var full = new FullListener();
        using var lane = Lane(full.Address, new() { ConnectMilliseconds = 300 });
        var result = lane.Fetch(Weights, new BufferDestination(0, _buffer));
        Assert.Equal(FetchOutcome.Lost, result.Outcome);
        Assert.Contains("within 300 ms", result.Sentence);
    }

    [Fact]
    public void A_fetch_can_be_cancelled_while_it_connects()
    {
        using var full = new FullListener();
        using var lane = Lane(full.Address, new() { ConnectMilliseconds = 600_000 });
        var ending = new Ending();
        lane.Fetch(Weights, new BufferDestination(0, _buffer), ending.Ended);
        lane.Cancel();
        Assert.Equal(FetchOutcome.Cancelled, ending.Wait().Outcome);
    }

    [Fact]
    public void After_failures_the_next_attempt_is_put_off_and_can_still_be_cancelled()
    {
        var limits = new ChannelLimits { BackoffMillisecondsMin = 600_000, BackoffMillisecondsMax = 600_000 };
        using var lane = Lane(new(7, "127.0.0.1", 70_000, ChannelCredential.Draw()), limits);
        Assert.Equal(FetchOutcome.Lost, lane.Fetch(Weights, new BufferDestination(0, _buffer)).Outcome);
        var ending = new Ending();
        lane.Fetch(Weights, new BufferDestination(0, _buffer), ending.Ended);
        lane.Cancel();
        Assert.Equal(FetchOutcome.Cancelled, ending.Wait().Outcome);
    }

    private static TensorLane Lane(ChannelAddress address, ChannelLimits limits) => new(address, 0, new(2, "a run"), limits);

    /// <summary>Listens and never accepts; its queue is full, so the system leaves further connections without an answer.</summary>
    private sealed class FullListener : IDisposable
    {
        private readonly List<Socket> _sockets = [];

        public FullListener()
        {
            var listener = NewSocket();
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            var endPoint = (IPEndPoint)listener.LocalEndPoint!;
            Address = new(7, "127.0.0.1", endPoint.Port, ChannelCredential.Draw());
            for (var i = 0; i < 8; i++)
            {
                _ = NewSocket().ConnectAsync(endPoint);
            }
        }

        public ChannelAddress Address { get; }

        public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

        private Socket NewSocket()
        {
            _sockets.Add(new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            return _sockets[^1];
        }
    }
}
