using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks.Channel;

/// <summary>
/// The copy that the channel is compared with: a byte asks for a whole tensor, and both sides use one call per 256 KiB on buffers as large as
/// the tensor. Over the socket itself, or over the framework's TLS stream and nothing else.
/// </summary>
internal sealed class PlainCopy : IDisposable
{
    private const int CallBytes = 256 * 1024;

    private readonly Socket _socket;
    private readonly SslStream? _secure;

    /// <summary>Connects.</summary>
    public PlainCopy(EndPoint endPoint, ChannelTls? tls = null)
    {
        _socket = NewSocket(endPoint);
        _socket.Connect(endPoint);
        Prepare(_socket);
        _secure = tls is null ? null : new(new NetworkStream(_socket));
        _secure?.AuthenticateAsClient(tls!.ForClient("benchmark", static _ => { }));
    }

    /// <summary>Where the process of a number serves within a machine.</summary>
    public static EndPoint EndPointHere(int process, string kind = "") => new UnixDomainSocketEndPoint($"\0cllm-benchmark-{process}{kind}");

    /// <summary>Serves one caller.</summary>
    public static Socket Serve(EndPoint endPoint, AlignedBuffer buffer, ChannelTls? tls = null)
    {
        var listener = NewSocket(endPoint);
        listener.Bind(endPoint);
        listener.Listen();
        new Thread(() => Serve(listener, buffer, tls)) { IsBackground = true }.Start();
        return listener;
    }

    /// <summary>Asks for the tensor and receives it.</summary>
    public void Receive(AlignedBuffer buffer)
    {
        Send(_socket, _secure, [1]);
        for (var rest = MemoryMarshal.AsBytes(buffer.Span); !rest.IsEmpty;)
        {
            rest = rest[Receive(_socket, _secure, rest[..Math.Min(rest.Length, CallBytes)])..];
        }
    }

    public void Dispose()
    {
        _secure?.Dispose();
        _socket.Dispose();
    }

    private static void Serve(Socket listener, AlignedBuffer buffer, ChannelTls? tls)
    {
        using var socket = listener.Accept();
        Prepare(socket);
        using var secure = tls is null ? null : new SslStream(new NetworkStream(socket));
        secure?.AuthenticateAsServer(tls!.ForServer(static _ => { }));
        var order = new byte[1];
        while (Receive(socket, secure, order) == 1)
        {
            for (var rest = MemoryMarshal.AsBytes(buffer.Span); !rest.IsEmpty;)
            {
                rest = rest[Send(socket, secure, rest[..Math.Min(rest.Length, CallBytes)])..];
            }
        }
    }

    private static int Receive(Socket socket, SslStream? secure, Span<byte> bytes) =>
        secure is null ? socket.Receive(bytes) : secure.Read(bytes);

    private static int Send(Socket socket, SslStream? secure, ReadOnlySpan<byte> bytes)
    {
        if (secure is null)
        {
            return socket.Send(bytes);
        }

        secure.Write(bytes);
        return bytes.Length;
    }

    private static Socket NewSocket(EndPoint endPoint) =>
        new(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);

    private static void Prepare(Socket socket)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.NoDelay = true;
        }
    }
}
