using System.Diagnostics.CodeAnalysis;

namespace Cllm.PoorNetwork;

/// <summary>
/// One direction of a link, as Linux's sch_netem makes it of "delay … loss … rate …": a packet that is not lost is due after the delay, and after the one before it
/// by its own transmission; so jitter changes no order. It has no clock: time is an argument and never goes back. One seed and the same packets at the same
/// times meet the same fate.
/// </summary>
public sealed class Link(LinkQuality quality, int seed)
{
    /// <summary>How many packets can be under way; one more is dropped. netem's own limit.</summary>
    public const int PacketsMax = 1000;

    private readonly Random _random = new(seed);
    private readonly Queue<(byte[] Packet, TimeSpan Due)> _underWay = new();
    private TimeSpan _lastDue;
    private TimeSpan _spent;
    private long _left;

    /// <summary>Packets that came to the link.</summary>
    public long Entered { get; private set; }

    /// <summary>Packets that it lost.</summary>
    public long Lost { get; private set; }

    /// <summary>Packets for which it had no room.</summary>
    public long Dropped { get; private set; }

    /// <summary>How long a packet that left was under way, on average.</summary>
    public TimeSpan Mean => _left == 0 ? TimeSpan.Zero : _spent / _left;

    /// <summary>When the next packet leaves; null when none is under way.</summary>
    public TimeSpan? Due => _underWay.TryPeek(out var next) ? next.Due : null;

    /// <summary>Takes a packet, which may get lost.</summary>
    public void Enter(byte[] packet, TimeSpan now)
    {
        Entered++;
        // Both are drawn for every packet, so the fate of one does not depend on that of those before it.
        var isLost = _random.NextDouble() < quality.Loss;
        var jitter = quality.Jitter * (2 * _random.NextDouble() - 1);
        if (isLost)
        {
            Lost++;
        }
        else if (_underWay.Count == PacketsMax)
        {
            Dropped++;
        }
        else
        {
            var arrival = now + quality.Delay + jitter;
            _lastDue = (arrival > _lastDue ? arrival : _lastDue) + TimeSpan.FromSeconds(packet.Length * 8 / quality.BitsPerSecond);
            _spent += _lastDue - now;
            _left++;
            _underWay.Enqueue((packet, _lastDue));
        }
    }

    /// <summary>Gives back the next packet that is due by now, if there is one.</summary>
    public bool TryLeave(TimeSpan now, [NotNullWhen(true)] out byte[]? packet)
    {
        packet = Due <= now ? _underWay.Dequeue().Packet : null;
        return packet is not null;
    }
}
