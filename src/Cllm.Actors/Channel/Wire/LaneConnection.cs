using System.Net.Security;
using System.Net.Sockets;

namespace Cllm.Actors.Channel.Wire;

/// <summary>How reading or writing went.</summary>
internal enum Flow
{
    Done,

    /// <summary>The other side closed it, or it broke.</summary>
    Closed,

    /// <summary>Nothing moved for the whole of the socket's timeout.</summary>
    Silent,
}

/// <summary>A connection that has been let in, plain or TLS. Blocking; one thread reads and writes, any thread may abort.</summary>
/// <param name="socket">The socket, blocking. Disposed with this.</param>
/// <param name="tls">The TLS stream over it; none when plain.</param>
internal sealed class LaneConnection(Socket socket, SslStream? tls) : IDisposable
{
    private const int PollMicroseconds = 1_000_000;

    /// <summary>
    /// Buffers of sockets within a machine: enough that both sides are at work, and little enough that what is on the way stays in the caches.
    /// Over a network the system sizes them by the path's delay.
    /// </summary>
    private const int HereBufferBytes = 1024 * 1024;

    private volatile bool _aborted;

    public bool Aborted => _aborted;

    /// <summary>Sets what every socket of the channel has.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="isHere">Whether the other end is on this machine, as far as one knows.</param>
    public static void Prepare(Socket socket, ChannelLimits limits, bool isHere)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.NoDelay = true;
        }

        var bytes = limits.SocketBufferBytes == 0 && isHere ? HereBufferBytes : limits.SocketBufferBytes;
        if (bytes > 0)
        {
            socket.SendBufferSize = bytes;
            socket.ReceiveBufferSize = bytes;
        }
    }

    /// <summary>
    /// From the handshake to the fetches: a silent peer is noticed during a fetch by the timeouts, between them by keep-alive probes,
    /// which within a machine nobody needs.
    /// </summary>
    public void Settle(ChannelLimits limits)
    {
        socket.SendTimeout = limits.SilenceMilliseconds;
        socket.ReceiveTimeout = limits.SilenceMilliseconds;
        if (socket.ProtocolType != ProtocolType.Tcp)
        {
            return;
        }

        var seconds = Math.Max(1, limits.SilenceMilliseconds / 1_000);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, seconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }

    /// <summary>Fills the whole span.</summary>
    public Flow Read(Span<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var error = SocketError.Success;
                var count = tls is null ? socket.Receive(bytes, SocketFlags.None, out error) : tls.Read(bytes);
                if (count <= 0 || error != SocketError.Success)
                {
                    return FlowOf(error);
                }

                bytes = bytes[count..];
            }

            return Flow.Done;
        }
        catch (Exception failure) when (IsOfConnection(failure))
        {
            return FlowOf(failure);
        }
    }

    /// <summary>Writes the whole span.</summary>
    public Flow Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (tls is not null)
            {
                tls.Write(bytes);
                return Flow.Done;
            }

            while (!bytes.IsEmpty)
            {
                var count = socket.Send(bytes, SocketFlags.None, out var error);
                if (error != SocketError.Success)
                {
                    return FlowOf(error);
                }

                bytes = bytes[count..];
            }

            return Flow.Done;
        }
        catch (Exception failure) when (IsOfConnection(failure))
        {
            return FlowOf(failure);
        }
    }

    /// <summary>Waits, however long, until there is something to read or the connection has ended.</summary>
    /// <returns>False when it was aborted.</returns>
    public bool WaitForBytes()
    {
        while (!_aborted)
        {
            if (HasBytes(PollMicroseconds))
            {
                return !_aborted;
            }
        }

        return false;
    }

    /// <summary>Whether there is something to read or the connection has ended; at once, or within some time.</summary>
    public bool HasBytes(int microseconds = 0)
    {
        try
        {
            return socket.Poll(microseconds, SelectMode.SelectRead);
        }
        catch (Exception failure) when (IsOfConnection(failure))
        {
            return true;
        }
    }

    /// <summary>Ends whatever another thread does with the connection.</summary>
    public void Abort()
    {
        _aborted = true;
        socket.Dispose();
    }

    public void Dispose()
    {
        _aborted = true;
        tls?.Dispose();
        socket.Dispose();
    }

    /// <summary>What a connection throws when it breaks, is aborted, or its TLS is garbled.</summary>
    public static bool IsOfConnection(Exception failure) =>
        failure is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException;

    private static Flow FlowOf(SocketError error) => error is SocketError.TimedOut or SocketError.WouldBlock ? Flow.Silent : Flow.Closed;

    private static Flow FlowOf(Exception failure) =>
        failure.InnerException is SocketException inner ? FlowOf(inner.SocketErrorCode) : Flow.Closed;
}
