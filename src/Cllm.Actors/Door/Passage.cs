using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Cllm.Actors.Door;

/// <summary>One connection through a <see cref="NodeDoor"/>: what comes from outside goes on to the actor system, and its answers back.</summary>
/// <remarks>
/// Who is outside is known by the answers he gets: the actor system says nothing to whoever does not speak its language, and nothing after the beginning of TLS to
/// whoever has no certificate; it closes such a connection. So whoever has been answered twice is of a node. Inside nothing is opened before the first byte has come.
/// </remarks>
internal sealed class Passage : IDisposable
{
    private const int AnswersOfNode = 2;

    private const int BufferBytes = 16 * 1024;

    /// <summary>How long one direction may go on when the other has ended.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly Socket _outside;
    private Socket? _inside;
    private int _answers;
    private bool _isAsked;

    public Passage(Socket outside, long since)
    {
        (_outside, Since) = (outside, since);
        Address = ((IPEndPoint)outside.RemoteEndPoint!).Address;
        outside.NoDelay = true;
    }

    /// <summary>Who called.</summary>
    public IPAddress Address { get; }

    /// <summary>When he did, in milliseconds since the machine started.</summary>
    public long Since { get; }

    /// <summary>Whether he has been answered as only a node is.</summary>
    public bool IsOfNode => Volatile.Read(ref _answers) >= AnswersOfNode;

    /// <summary>Passes bytes on until one side has closed the connection.</summary>
    public async Task RunAsync(IPEndPoint inside)
    {
        try
        {
            await _outside.ReceiveAsync(Memory<byte>.Empty).ConfigureAwait(false);
            var socket = new Socket(inside.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _inside = socket;
            await socket.ConnectAsync(inside).ConfigureAwait(false);
            await Task.WhenAll(PassAsync(_outside, socket, isFromOutside: true), PassAsync(socket, _outside, isFromOutside: false)).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Whoever is on the other side sees the connection closed, as he would without a door.
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _outside.Dispose();
        Volatile.Read(ref _inside)?.Dispose();
    }

    private async Task PassAsync(Socket from, Socket to, bool isFromOutside)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await from.ReceiveAsync(buffer).ConfigureAwait(false) is > 0 and var bytes)
            {
                CountAnswer(isFromOutside);
                for (var sent = 0; sent < bytes;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, bytes - sent)).ConfigureAwait(false);
                }
            }

            to.Shutdown(SocketShutdown.Send);
            _ = Task.Delay(Farewell).ContinueWith(_ => Dispose(), TaskScheduler.Default);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            Dispose();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>An answer is what comes from inside after something from outside, in however many pieces.</summary>
    private void CountAnswer(bool isFromOutside)
    {
        if (isFromOutside)
        {
            Volatile.Write(ref _isAsked, true);
        }
        else if (Volatile.Read(ref _isAsked))
        {
            Volatile.Write(ref _isAsked, false);
            Interlocked.Increment(ref _answers);
        }
    }
}
