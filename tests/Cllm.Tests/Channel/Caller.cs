using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Wire;

namespace Cllm.Tests.Channel;

/// <summary>A connection to a server that says whatever a test wants.</summary>
internal sealed class Caller : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
        ReceiveTimeout = 30_000,
    };

    public Caller(ChannelAddress address) => _socket.Connect(address.Host, address.Port);

    /// <summary>What an honest node says first.</summary>
    public static byte[] Hello(ChannelAddress address, int node = 2, int lane = 0, string run = ChannelUnderTest.Run) =>
        Cllm.Actors.Channel.Wire.Hello.Frame(new ChannelIdentity(node, run).Run, ChannelCredential.Parse(address.Credential), node, lane);

    public static byte[] Request(in TensorRequest request)
    {
        var body = new byte[RequestBody.Length(request)];
        RequestBody.Write(request, body);
        var header = FrameHeader.Of(FrameType.Request, request, 1) with { Length = body.Length, PayloadHash = FrameHeader.Hash(body) };
        return LyingServer.Bytes(header, body);
    }

    /// <summary>Says it; a server that has hung up already is not an error.</summary>
    public Caller Say(ReadOnlySpan<byte> bytes)
    {
        _socket.Send(bytes, SocketFlags.None, out _);
        return this;
    }

    /// <summary>The next frame; none when the server has hung up.</summary>
    public FrameHeader? Hear()
    {
        var bytes = new byte[FrameHeader.Bytes];
        for (var at = 0; at < bytes.Length;)
        {
            var count = _socket.Receive(bytes.AsSpan(at), SocketFlags.None, out var error);
            Assert.NotEqual(SocketError.TimedOut, error);
            if (count <= 0 || error != SocketError.Success)
            {
                return null;
            }

            at += count;
        }

        Assert.True(FrameHeader.TryRead(bytes, out var header, out var fault), fault.ToString());
        return header;
    }

    public void Dispose() => _socket.Dispose();
}
