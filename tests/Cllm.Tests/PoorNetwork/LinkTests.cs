using Cllm.PoorNetwork;

namespace Cllm.Tests.PoorNetwork;

/// <summary>What tests/cluster-netns has in place of netem, with time as the tests have it.</summary>
public class LinkTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(10);

    /// <summary>1,000 bytes take a millisecond.</summary>
    private static readonly LinkQuality Steady = new(Delay, TimeSpan.Zero, 0, 8e6);

    [Fact]
    public void A_packet_leaves_after_the_delay_and_its_own_transmission()
    {
        var link = new Link(Steady, 1);
        link.Enter(new byte[1000], At(5));
        Assert.Equal(At(16), link.Due);
        Assert.False(link.TryLeave(At(15.9), out _));
        Assert.True(link.TryLeave(At(16), out byte[]? packet));
        Assert.Equal(1000, packet.Length);
        Assert.Null(link.Due);
        Assert.Equal(At(11), link.Mean);
    }

    [Fact]
    public void Packets_follow_each_other_no_faster_than_the_rate()
    {
        var link = new Link(Steady, 1);
        for (var i = 0; i < 3; i++)
        {
            link.Enter(new byte[1000], At(0));
        }

        Assert.Equal([At(11), At(12), At(13)], Leaving(link).Select(packet => packet.Due));
    }

    [Fact]
    public void Jitter_changes_the_times_and_never_the_order()
    {
        var link = new Link(Steady with { Jitter = TimeSpan.FromMilliseconds(3), BitsPerSecond = 8e9 }, 1);
        for (var i = 0; i < 200; i++)
        {
            link.Enter([(byte)i], At(i));
        }

        (byte First, TimeSpan Due)[] left = [.. Leaving(link)];
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (byte)i), left.Select(packet => packet.First));
        Assert.Equal(left.Select(packet => packet.Due).Order(), left.Select(packet => packet.Due));
        double[] delays = [.. left.Select((packet, i) => (packet.Due - At(i)).TotalMilliseconds)];
        Assert.InRange(delays.Min(), 7, 8);
        Assert.InRange(delays.Max(), 12, 13.001);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.01, 900, 1100)]
    [InlineData(1, 100_000, 100_000)]
    public void As_much_is_lost_as_was_asked_for(double loss, long least, long most)
    {
        var link = new Link(Steady with { Loss = loss }, 1);
        Send(link, 100_000);
        Assert.Equal(100_000, link.Entered);
        Assert.InRange(link.Lost, least, most);
        Assert.Equal(0, link.Dropped);
    }

    [Fact]
    public void One_seed_loses_the_same_packets_and_another_one_others()
    {
        Assert.Equal(Survivors(1), Survivors(1));
        Assert.NotEqual(Survivors(1), Survivors(2));

        static IEnumerable<byte> Survivors(int seed)
        {
            var link = new Link(Steady with { Loss = 0.1 }, seed);
            for (var i = 0; i < 200; i++)
            {
                link.Enter([(byte)i], At(i));
            }

            return Leaving(link).Select(packet => packet.First);
        }
    }

    [Fact]
    public void A_link_that_is_full_drops_what_comes_and_keeps_what_it_has()
    {
        var link = new Link(Steady, 1);
        for (var i = 0; i < Link.PacketsMax + 5; i++)
        {
            link.Enter(new byte[1], At(0));
        }

        Assert.Equal(5, link.Dropped);
        Assert.Equal(0, link.Lost);
        Assert.Equal(Link.PacketsMax, Leaving(link).Count());
    }

    /// <summary>Packets that come a second apart, each gone before the next one.</summary>
    private static void Send(Link link, int packets)
    {
        for (var i = 0; i < packets; i++)
        {
            link.Enter(new byte[1], TimeSpan.FromSeconds(i));
            link.TryLeave(TimeSpan.FromSeconds(i + 0.5), out _);
        }
    }

    private static IEnumerable<(byte First, TimeSpan Due)> Leaving(Link link)
    {
        while (link.Due is { } due)
        {
            Assert.True(link.TryLeave(due, out byte[]? packet));
            yield return (packet[0], due);
        }
    }

    private static TimeSpan At(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
