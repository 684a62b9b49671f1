using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Wire;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Channel;

/// <summary>The way to a server of the same machine that leads past the network.</summary>
public sealed class MachineSocketTests : IDisposable
{
    private const int Floats = 100_000;
    private readonly SampleStore _store = new(Floats);
    private readonly AlignedBuffer _buffer = new(Floats);

    private static TensorRequest Weights { get; } = TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0);

    public void Dispose()
    {
        _store.Dispose();
        _buffer.Dispose();
    }

    [LinuxFact]
    public void A_server_of_this_machine_is_reached_past_the_network()
    {
        using var channel = new SocketChannel(_store);
        Assert.Equal(FetchOutcome.Done, Fetch(channel, NowhereOverTcp(channel)).Outcome);
    }

    [Fact]
    public void A_server_without_that_door_is_reached_over_the_network()
    {
        using var channel = new SocketChannel(_store, SocketChannel.OverTcp);
        Assert.Equal(FetchOutcome.Lost, Fetch(channel, NowhereOverTcp(channel)).Outcome);
        Assert.Equal(FetchOutcome.Done, Fetch(channel, channel.Address).Outcome);
    }

    [LinuxFact]
    public void A_host_that_may_be_another_machine_is_called_over_the_network()
    {
        using var channel = new SocketChannel(_store);
        Assert.Equal(FetchOutcome.Lost, Fetch(channel, channel.Address with { Host = "no-such-host.invalid" }).Outcome);
    }

    [LinuxFact]
    public void Who_knows_the_door_and_not_the_credential_is_turned_away()
    {
        using var channel = new SocketChannel(_store);
        using var socket = MachineSocket.NewSocket();
        socket.ReceiveTimeout = 30_000;
        socket.Connect(MachineSocket.EndPoint(ChannelCredential.Parse(channel.Address.Credential)));
        socket.Send(Caller.Hello(channel.Address with { Credential = ChannelCredential.Draw() }));
        var answer = new byte[FrameHeader.Bytes];
        Assert.Equal(answer.Length, socket.Receive(answer));
        Assert.True(FrameHeader.TryRead(answer, out var header, out _));
        Assert.Equal((FrameType.Welcome, (byte)RefusalReason.WrongCredential), (header.Type, header.Code));
        Assert.Equal(0, Left(socket));
        Assert.True(SpinWait.SpinUntil(() => channel.Counters.StrangersRefused == 1, TimeSpan.FromSeconds(30)));
    }

    [LinuxFact]
    public void A_node_that_has_changed_its_mind_before_it_is_answered_is_no_stranger()
    {
        using var channel = new SocketChannel(_store);
        for (var i = 0; i < 200; i++)
        {
            using var socket = MachineSocket.NewSocket();
            socket.Connect(MachineSocket.EndPoint(ChannelCredential.Parse(channel.Address.Credential)));
            socket.Send(Caller.Hello(channel.Address, lane: 1));
        }

        Assert.Equal(FetchOutcome.Done, Fetch(channel, channel.Address).Outcome);
        Assert.Equal(0, channel.Counters.StrangersRefused);
    }

    [LinuxFact]
    public void Nothing_is_left_of_the_door_when_its_server_is_gone()
    {
        var channel = new SocketChannel(_store);
        channel.Dispose();
        using var socket = MachineSocket.NewSocket();
        Assert.Throws<SocketException>(() => socket.Connect(MachineSocket.EndPoint(ChannelCredential.Parse(channel.Address.Credential))));
    }

    /// <summary>An address whose port nobody can connect to.</summary>
    private static ChannelAddress NowhereOverTcp(SocketChannel channel) => channel.Address with { Port = 70_000 };

    /// <summary>Bytes that come before the other side has hung up.</summary>
    private static int Left(Socket socket)
    {
        var count = socket.Receive(new byte[1], SocketFlags.None, out var error);
        return error == SocketError.ConnectionReset ? 0 : count;
    }

    private FetchResult Fetch(SocketChannel channel, ChannelAddress address)
    {
        using var lane = channel.Transport.Open(address, 0);
        return lane.Fetch(Weights, new BufferDestination(0, _buffer));
    }
}
