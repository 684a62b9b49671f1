namespace Cllm.Actors.Channel;

/// <summary>What a process's channel has done so far. One object may count for a server and all lanes of a process.</summary>
public sealed class ChannelCounters
{
    private long _bytesSent;
    private long _bytesReceived;
    private long _strangersRefused;

    /// <summary>Bytes of payload served.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Bytes of payload fetched.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <summary>Connections that were turned away: silent, garbled, without credential or certificate, too many.</summary>
    public long StrangersRefused => Interlocked.Read(ref _strangersRefused);

    internal void Sent(long bytes) => Interlocked.Add(ref _bytesSent, bytes);

    internal void Received(long bytes) => Interlocked.Add(ref _bytesReceived, bytes);

    internal void Refused() => Interlocked.Increment(ref _strangersRefused);
}
