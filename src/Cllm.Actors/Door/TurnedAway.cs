using System.Net;
using Cllm.Actors.Inspection;

namespace Cllm.Actors.Door;

/// <summary>Tells of connections that are turned away: each is counted, and at most one sentence a second is said. Used by one thread at a time.</summary>
/// <param name="place">What they wanted to reach, as in <c>the tensor channel</c>.</param>
/// <param name="note">Is told the sentences; none for nobody.</param>
internal sealed class TurnedAway(string place, Action<string>? note)
{
    private const int BetweenNotesMilliseconds = 1_000;

    private long _notedAt = long.MinValue / 2;
    private long _unnoted;

    /// <summary>One more.</summary>
    public void Tell(IPAddress from, string reason)
    {
        RunMeter.Refused();
        var now = Environment.TickCount64;
        if (now - _notedAt < BetweenNotesMilliseconds)
        {
            _unnoted++;
            return;
        }

        var before = _unnoted == 0 ? "" : $", and {_unnoted} before it";
        note?.Invoke($"A connection from {from} to {place} was turned away{before}: {reason.TrimEnd('.')}.");
        (_notedAt, _unnoted) = (now, 0);
    }
}
