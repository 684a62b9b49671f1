using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks.Channel;

/// <summary>
/// The copy that the channel is compared with: a byte asks for a whole tensor, and both sides use one call per 256 KiB on buffers as large as
/// the tensor.
/// </summary>
internal sealed class PlainCopy : IDisposable
{
    private const int CallBytes = 256 * 1024;

    private readonly Socket _socket;

    /// <summary>Connects.</summary>
    public PlainCopy(EndPoint endPoint)
    {
        _socket = NewSocket(endPoint);
        _socket.Connect(endPoint);
        Prepare(_socket);
    }

    /// <summary>Where the process of a number serves within a machine.</summary>
    public static EndPoint EndPointHere(int process) => new UnixDomainSocketEndPoint($"\0cllm-benchmark-{process}");

    /// <summary>Serves one caller.</summary>
    public static Socket Serve(EndPoint endPoint, AlignedBuffer buffer)
    {
        var listener = NewSocket(endPoint);
        listener.Bind(endPoint);
        listener.Listen();
        new Thread(() => Serve(listener, buffer)) { IsBackground = true }.Start();
        return listener;
    }

    /// <summary>Asks for the tensor and receives it.</summary>
    public void Receive(AlignedBuffer buffer)
    {
        _socket.Send([1]);
        for (var rest = MemoryMarshal.AsBytes(buffer.Span); !rest.IsEmpty;)
        {
            rest = rest[_socket.Receive(rest[..Math.Min(rest.Length, CallBytes)])..];
        }
    }

    public void Dispose() => _socket.Dispose();

    private static void Serve(Socket listener, AlignedBuffer buffer)
    {
        using var socket = listener.Accept();
        Prepare(socket);
        var order = new byte[1];
        while (socket.Receive(order) == 1)
        {
            for (var rest = MemoryMarshal.AsBytes(buffer.Span); !rest.IsEmpty;)
            {
                rest = rest[socket.Send(rest[..Math.Min(rest.Length, CallBytes)])..];
            }
        }
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
