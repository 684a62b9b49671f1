using Cllm.Protocol.Coordination;
using FsCheck;
using FsCheck.Xunit;

namespace Cllm.Tests.Protocol;

public sealed class LeafTimesTests
{
    [Property(MaxTest = 300)]
    public void Median_and_spread_are_those_of_the_last_times(NonEmptyArray<ushort> all, PositiveInt window)
    {
        var times = new LeafTimes(window.Get);
        foreach (var ticks in all.Get)
        {
            times.Add(ticks);
        }

        var last = all.Get.TakeLast(window.Get).Select(ticks => (long)ticks).Order().ToArray();
        var median = last[last.Length / 2];
        var spread = last.Select(ticks => Math.Abs(ticks - median)).Order().ElementAt(last.Length / 2);
        Assert.Equal((last.Length, median, spread), (times.Count, times.MedianTicks, times.SpreadTicks()));
        Assert.Equal(median + Math.Max(median, 4 * spread), times.LateTicks());
    }

    [Fact]
    public void One_time_that_is_far_off_moves_the_deadline_little()
    {
        var times = new LeafTimes(9);
        for (var i = 0; i < 8; i++)
        {
            times.Add(100 + i);
        }

        times.Add(1_000_000);
        Assert.InRange(times.LateTicks(), 200, 220);
    }
}
