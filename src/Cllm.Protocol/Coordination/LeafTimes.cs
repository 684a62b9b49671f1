namespace Cllm.Protocol.Coordination;

/// <summary>Median and spread of the last so many times per leaf.</summary>
/// <param name="timesMax">How many are remembered.</param>
internal sealed class LeafTimes(int timesMax)
{
    private readonly long[] _newest = new long[timesMax];
    private readonly long[] _sorted = new long[timesMax];
    private int _at;
    private long? _lateTicks;

    /// <summary>Times remembered.</summary>
    public int Count { get; private set; }

    /// <summary>The upper median.</summary>
    public long MedianTicks => _sorted[Count / 2];

    /// <summary>Remembers a time, in place of the oldest when there are enough.</summary>
    public void Add(long ticks)
    {
        var end = Count;
        if (Count == _newest.Length)
        {
            // The oldest one leaves a gap, which the last one of the sorted closes.
            var gap = Array.BinarySearch(_sorted, 0, Count, _newest[_at]);
            Array.Copy(_sorted, gap + 1, _sorted, gap, Count - gap - 1);
            end--;
        }
        else
        {
            Count++;
        }

        var place = end;
        while (place > 0 && _sorted[place - 1] > ticks)
        {
            _sorted[place] = _sorted[place - 1];
            place--;
        }

        _sorted[place] = ticks;
        (_newest[_at], _lateTicks) = (ticks, null);
        _at = (_at + 1) % _newest.Length;
    }

    /// <summary>The upper median of the distances from the median: half of the times are this close to it. An outlier does not move it.</summary>
    public long SpreadTicks()
    {
        var median = MedianTicks;
        var (below, above) = (Count / 2, (Count / 2) + 1);
        var distance = 0L;
        for (var taken = 0; taken <= Count / 2; taken++)
        {
            var isBelow = above == Count || (below >= 0 && median - _sorted[below] <= _sorted[above] - median);
            distance = isBelow ? median - _sorted[below--] : _sorted[above++] - median;
        }

        return distance;
    }

    /// <summary>From here on a leaf is late: when it takes twice as long as usual and more than four spreads longer.</summary>
    public long LateTicks() => _lateTicks ??= MedianTicks + Math.Max(MedianTicks, 4 * SpreadTicks());
}
