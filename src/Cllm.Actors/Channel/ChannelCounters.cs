using Cllm.Actors.Inspection;

namespace Cllm.Actors.Channel;

/// <summary>What a process's channel has done so far. One object may count for a server and all lanes of a process; counting allocates nothing.</summary>
public sealed class ChannelCounters
{
    private readonly long[] _sent = new long[Enum.GetValues<TensorKind>().Length];
    private readonly long[] _received = new long[Enum.GetValues<TensorKind>().Length];
    private long _strangersRefused;

    /// <summary>Bytes of payload served.</summary>
    public long BytesSent => Sum(_sent);

    /// <summary>Bytes of payload fetched.</summary>
    public long BytesReceived => Sum(_received);

    /// <summary>Connections that were turned away: silent, garbled, without credential or certificate, too many.</summary>
    public long StrangersRefused => Interlocked.Read(ref _strangersRefused);

    internal void Sent(TensorKind kind, long bytes)
    {
        Interlocked.Add(ref _sent[Place(kind)], bytes);
        RunMeter.Sent(kind, bytes);
    }

    internal void Received(TensorKind kind, long bytes)
    {
        Interlocked.Add(ref _received[Place(kind)], bytes);
        RunMeter.Received(kind, bytes);
    }

    internal void Refused()
    {
        Interlocked.Increment(ref _strangersRefused);
    }

    private static int Place(TensorKind kind) => kind - TensorKind.Gradient;

    private static long Sum(long[] counts)
    {
        var sum = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            sum += Interlocked.Read(ref counts[i]);
        }

        return sum;
    }
}
