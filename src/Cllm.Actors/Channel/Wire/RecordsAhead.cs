using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// Takes from a socket as many bytes as there are and gives them out TLS record by TLS record. The framework's TLS stream by itself waits
/// for each record with one call, receives it with another, and moves what it got of the next one to the front of its buffer.
/// </summary>
/// <remarks>
/// What a record's header says decides only how many bytes are given out at a time; nothing is believed that TLS does not check after it.
/// </remarks>
/// <param name="socket">Where the bytes come from, blocking.</param>
internal sealed class RecordsAhead(Socket socket)
{
    /// <summary>Four full records: more save little, and a node of a large cluster has a thousand lanes.</summary>
    public const int BytesMax = 4 * (HeaderBytes + 16 * 1024 + 256);

    public const int HeaderBytes = 5;

    private readonly byte[] _bytes = new byte[BytesMax];
    private int _start;
    private int _end;
    private int _recordBytesLeft;

    /// <summary>Gives out the next bytes, of one record at most; blocks until there are some.</summary>
    /// <param name="buffer">Where they go. An empty one waits for them and takes none.</param>
    /// <param name="error">What happened to the socket.</param>
    /// <returns>How many; none at the end, for an empty buffer, and when there is an error.</returns>
    public int Read(Span<byte> buffer, out SocketError error)
    {
        error = SocketError.Success;
        while (_end - _start < (_recordBytesLeft > 0 ? 1 : HeaderBytes) && Receive(out error))
        {
        }

        if (error != SocketError.Success)
        {
            return 0;
        }

        var ready = _bytes.AsSpan(_start, _end - _start);
        if (_recordBytesLeft == 0)
        {
            // Fewer than a header are the last ones that will ever come.
            _recordBytesLeft = ready.Length < HeaderBytes
                ? ready.Length
                : HeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(ready[(HeaderBytes - sizeof(ushort))..]);
        }

        var count = Math.Min(Math.Min(ready.Length, _recordBytesLeft), buffer.Length);
        ready[..count].CopyTo(buffer);
        _start += count;
        _recordBytesLeft -= count;
        return count;
    }

    /// <summary>Receives behind what is left, which is less than a header.</summary>
    private bool Receive(out SocketError error)
    {
        _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
        var count = socket.Receive(_bytes.AsSpan(_end), SocketFlags.None, out error);
        _end += Math.Max(count, 0);
        return count > 0 && error == SocketError.Success;
    }
}
