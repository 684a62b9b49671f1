using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Wire;
using Cllm.Protocol.Messages;

namespace Cllm.Tests.Channel;

/// <summary>Lets everybody in and answers each connection's requests with what a function makes of the honest frames.</summary>
internal sealed class LyingServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<TensorRequest, FrameHeader, byte[]?> _answer;
    private readonly byte[] _welcome;
    private volatile bool _closed;

    /// <summary>Starts it.</summary>
    /// <param name="answer">Makes the answer out of the request and its header; none closes the connection.</param>
    /// <param name="welcome">What is said to a hello; an honest welcome when not given.</param>
    public LyingServer(Func<TensorRequest, FrameHeader, byte[]?> answer, byte[]? welcome = null)
    {
        _answer = answer;
        _welcome = welcome ?? Bytes(new FrameHeader(FrameType.Welcome, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        _listener.Start();
        Address = new(1, "127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, ChannelCredential.Draw());
        new Thread(Run) { IsBackground = true }.Start();
    }

    public ChannelAddress Address { get; }

    /// <summary>A frame with an honest checksum over whatever it says.</summary>
    public static byte[] Bytes(FrameHeader header, params byte[] payload)
    {
        var frame = new byte[FrameHeader.Bytes + payload.Length];
        payload.CopyTo(frame, FrameHeader.Bytes);
        header.Write(frame);
        return frame;
    }

    public void Dispose()
    {
        _closed = true;
        _listener.Stop();
    }

    private void Run()
    {
        while (!_closed)
        {
            try
            {
                using var client = _listener.AcceptTcpClient();
                var stream = client.GetStream();
                stream.ReadExactly(new byte[FrameHeader.Bytes + Hello.Bytes]);
                stream.Write(_welcome);
                while (Answer(stream) is { } bytes)
                {
                    stream.Write(bytes);
                }
            }
            catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException)
            {
                // The lane under test has hung up, or the test is over.
            }
        }
    }

    private byte[]? Answer(NetworkStream stream)
    {
        var bytes = new byte[FrameHeader.Bytes];
        stream.ReadExactly(bytes);
        Assert.True(FrameHeader.TryRead(bytes, out var header, out _));
        var body = new byte[header.Length];
        stream.ReadExactly(body);
        ReductionSource[] sources = [];
        Assert.True(RequestBody.TryRead(header, body, ref sources, out var request, out _));
        return _answer(request, header);
    }
}
