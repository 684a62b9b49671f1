using System.Net.Sockets;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// A blocking socket as a stream, for TLS. Reads may also be asynchronous: then they end when <see cref="Readable"/> is called by whoever
/// watches the socket. The framework's own stream would switch the socket to non-blocking for good at its first asynchronous read, and
/// every later read of a lane would allocate.
/// </summary>
/// <param name="socket">The socket, blocking. Disposed with this.</param>
/// <param name="ahead">
/// What blocking reads take their bytes from; without it they take them from the socket. Only where nobody polls the socket to see whether
/// there is something to read.
/// </param>
internal sealed class SocketStream(Socket socket, RecordsAhead? ahead = null) : Stream
{
    private readonly object _gate = new();
    private TaskCompletionSource<int>? _reading;
    private Memory<byte> _buffer;
    private bool _isOver;

    /// <summary>Whether the other side has closed the connection, as far as reads and writes have shown. Of a stream that nobody reads or writes at the time.</summary>
    public bool IsOver => _isOver;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The socket has bytes, or its end: the asynchronous read under way can be done without blocking.</summary>
    public void Readable()
    {
        TaskCompletionSource<int>? reading;
        lock (_gate)
        {
            reading = _reading;
            _reading = null;
        }

        if (reading is null)
        {
            return;
        }

        var count = 0;
        try
        {
            count = Read(_buffer.Span);
        }
        catch (IOException failure)
        {
            reading.SetException(failure);
            return;
        }

        reading.SetResult(count);
    }

    /// <summary>Ends an asynchronous read that nobody will serve any more.</summary>
    public void Abandon()
    {
        TaskCompletionSource<int>? reading;
        lock (_gate)
        {
            reading = _reading;
            _reading = null;
        }

        reading?.SetException(new IOException("The connection was given up."));
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            var error = SocketError.Success;
            var count = ahead is null ? socket.Receive(buffer, SocketFlags.None, out error) : ahead.Read(buffer, out error);
            _isOver = _isOver || IsEnd(error) || (error == SocketError.Success && count == 0 && !buffer.IsEmpty);
            return error == SocketError.Success ? count : throw Failure(error);
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException("The connection is closed.", closed);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = new TaskCompletionSource<int>();
        lock (_gate)
        {
            (_buffer, _reading) = (buffer, reading);
        }

        return new(reading.Task);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            while (!buffer.IsEmpty)
            {
                var count = socket.Send(buffer, SocketFlags.None, out var error);
                _isOver = _isOver || IsEnd(error);
                buffer = error == SocketError.Success ? buffer[count..] : throw Failure(error);
            }
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException("The connection is closed.", closed);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Abandon();
            socket.Dispose();
        }

        base.Dispose(disposing);
    }

    private static bool IsEnd(SocketError error) => error is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown;

    private static IOException Failure(SocketError error) => new($"The connection failed: {error}", new SocketException((int)error));
}
