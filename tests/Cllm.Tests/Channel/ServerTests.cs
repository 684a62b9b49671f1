using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Wire;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Channel;

/// <summary>Strangers at the door, and what they can do to lanes that are open: nothing.</summary>
public sealed class ServerTests : IDisposable
{
    private const int Floats = 100_000;
    private readonly SampleStore _store = new(Floats);
    private readonly AlignedBuffer _buffer = new(Floats);

    private static TensorRequest Weights { get; } = TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0);

    private static TensorRequest Late { get; } = TensorRequest.Weights(new(5), new(4), new(0), 0, Floats, 60_000);

    public void Dispose()
    {
        _store.Dispose();
        _buffer.Dispose();
    }

    [Fact]
    public void Ten_thousand_silent_connections_neither_stop_open_lanes_nor_keep_new_ones_out()
    {
        const int Held = 500;
        using var channel = new SocketChannel(_store);
        using var lane = channel.Transport.Open(channel.Address, 0);
        Assert.Equal(FetchResult.Done, Fetch(lane));
        var crowd = new Queue<Caller>();
        for (var i = 0; i < 10_000; i++)
        {
            crowd.Enqueue(new Caller(channel.Address));
            if (crowd.Count > Held)
            {
                crowd.Dequeue().Dispose();
            }

            if (i % 500 == 499)
            {
                Assert.Equal(FetchResult.Done, Fetch(lane));
            }
        }

        using var newcomer = channel.Transport.Open(channel.Address, 1);
        Assert.Equal(FetchResult.Done, Fetch(newcomer));
        Assert.Equal(2, channel.Server.Lanes);
        Assert.True(channel.Counters.StrangersRefused > 5_000);
        while (crowd.TryDequeue(out var caller))
        {
            caller.Dispose();
        }
    }

    [Fact]
    public void Who_says_a_byte_now_and_then_is_turned_out_when_his_time_is_up()
    {
        var notes = new List<string>();
        using var channel = new SocketChannel(_store, new() { HandshakeMilliseconds = 200 }, note: notes.Add);
        using var caller = new Caller(channel.Address).Say(Caller.Hello(channel.Address).AsSpan(0, 100));
        Assert.Null(caller.Hear());
        channel.Dispose();
        Assert.Contains("did not say who it is", Assert.Single(notes));
    }

    [Fact]
    public void Who_hangs_up_by_himself_is_not_told_of()
    {
        var notes = new List<string>();
        using var channel = new SocketChannel(_store, note: notes.Add);
        new Caller(channel.Address).Say(Caller.Hello(channel.Address).AsSpan(0, 100)).Dispose();
        using (var other = new Caller(channel.Address).Say(new byte[FrameHeader.Bytes]))
        {
            Assert.Null(other.Hear());
        }

        channel.Dispose();
        Assert.Contains("no hello", Assert.Single(notes));
        Assert.Equal(1, channel.Counters.StrangersRefused);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n                                                ")]
    [InlineData("SSH-2.0-OpenSSH_9.7\r\n                                                        ")]
    [InlineData("                                                                                         ")]
    public void Who_speaks_something_else_is_turned_out(string words)
    {
        using var channel = new SocketChannel(_store);
        using var caller = new Caller(channel.Address).Say(System.Text.Encoding.ASCII.GetBytes(words));
        Assert.Null(caller.Hear());
        Assert.Equal(FetchResult.Done, Fetch(channel));
    }

    [Fact]
    public void Another_run_another_version_and_a_wrong_credential_are_told_apart()
    {
        using var channel = new SocketChannel(_store);
        var other = channel.Address with { Credential = ChannelCredential.Draw() };
        Assert.Equal(RefusalReason.OtherRun, Answer(channel, Caller.Hello(channel.Address, run: "another run")));
        Assert.Equal(RefusalReason.WrongCredential, Answer(channel, Caller.Hello(other)));
        Assert.Equal(RefusalReason.WrongCredential, Answer(channel, Caller.Hello(other, run: "another run")));
        Assert.Equal(RefusalReason.Malformed, Answer(channel, Caller.Hello(channel.Address, lane: ITensorTransport.LanesMax)));
        var later = Caller.Hello(channel.Address);
        later[4]++;
        Assert.Equal(RefusalReason.OtherVersion, Answer(channel, later));
        Assert.Equal(RefusalReason.None, Answer(channel, Caller.Hello(channel.Address)));
    }

    [Fact]
    public void There_are_no_more_lanes_than_allowed()
    {
        using var channel = new SocketChannel(_store, new() { LanesMax = 1 });
        using ITensorLane one = channel.Transport.Open(channel.Address, 0), two = channel.Transport.Open(channel.Address, 1);
        Assert.Equal(FetchResult.Done, Fetch(one));
        Assert.Equal(RefusalReason.Busy, Fetch(two).Reason);
        Assert.Equal(FetchResult.Done, Fetch(one));
    }

    [Fact]
    public void A_second_lane_of_the_same_name_takes_the_place_of_the_first_which_opens_again_when_it_is_needed()
    {
        using var channel = new SocketChannel(_store);
        using ITensorLane one = channel.Transport.Open(channel.Address, 0), two = channel.Transport.Open(channel.Address, 0);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(FetchResult.Done, Fetch(one));
            Assert.Equal(FetchResult.Done, Fetch(two));
        }
    }

    [Fact]
    public void A_request_that_cannot_be_read_is_refused_and_closes_the_lane()
    {
        using var channel = new SocketChannel(_store);
        using var caller = new Caller(channel.Address).Say(Caller.Hello(channel.Address));
        Assert.Equal(FrameType.Welcome, caller.Hear()!.Value.Type);
        var request = Caller.Request(Weights);
        request[^1] ^= 1;
        var answer = caller.Say(request).Hear()!.Value;
        Assert.Equal((FrameType.Refusal, (byte)RefusalReason.Malformed), (answer.Type, answer.Code));
        Assert.True(SpinWait.SpinUntil(() => _store.Readers == 0, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void A_wait_ends_when_the_peer_goes_away()
    {
        using var channel = new SocketChannel(_store);
        using (var caller = new Caller(channel.Address).Say(Caller.Hello(channel.Address)))
        {
            Assert.Equal(FrameType.Welcome, caller.Hear()!.Value.Type);
            caller.Say(Caller.Request(Late));
        }

        Assert.True(SpinWait.SpinUntil(() => _store.Readers == 0 && channel.Server.Lanes == 0, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Who_waits_is_told_that_somebody_is_there()
    {
        using var channel = new SocketChannel(_store, new() { AliveMilliseconds = 50, SilenceMilliseconds = 5_000 });
        using var caller = new Caller(channel.Address).Say(Caller.Hello(channel.Address));
        Assert.Equal(FrameType.Welcome, caller.Hear()!.Value.Type);
        caller.Say(Caller.Request(Late));
        Assert.Equal(FrameType.Waiting, caller.Hear()!.Value.Type);
        _store.Update();
        FrameHeader? frame;
        do
        {
            frame = caller.Hear();
        }
        while (frame!.Value.Type == FrameType.Waiting);
        Assert.Equal(FrameType.Chunk, frame.Value.Type);
    }

    [Fact]
    public void A_port_in_use_is_the_users_to_solve()
    {
        using var channel = new SocketChannel(_store);
        var error = Assert.Throws<Cllm.Model.InputException>(() => new TensorServer(channel.Server.EndPoint, _store, new(3, "a run")));
        Assert.Contains("choose another", error.Message);
    }

    [Fact]
    public void Bytes_are_counted_on_both_sides()
    {
        using var channel = new SocketChannel(_store);
        Assert.Equal(FetchResult.Done, Fetch(channel));
        Assert.Equal((Floats * 4, Floats * 4), (channel.Counters.BytesReceived, channel.Counters.BytesSent));
    }

    private static RefusalReason? Answer(SocketChannel channel, byte[] hello)
    {
        using var caller = new Caller(channel.Address).Say(hello);
        return (RefusalReason?)caller.Hear()?.Code;
    }

    private FetchResult Fetch(SocketChannel channel)
    {
        using var lane = channel.Transport.Open(channel.Address, 0);
        return Fetch(lane);
    }

    private FetchResult Fetch(ITensorLane lane) => lane.Fetch(Weights, new BufferDestination(0, _buffer));
}
