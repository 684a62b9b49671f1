using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;
using Cllm.Simulation.Channel;
using Cllm.Simulation.Engine;

namespace Cllm.Tests.Channel;

/// <summary>Over the model of the channel that simulated clusters fetch with, in virtual time.</summary>
public sealed class SimulatedConformanceTests : ChannelConformance
{
    private const int Floats = 1_000_000;

    private static TensorRequest Weights { get; } = TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0);

    private protected override ChannelUnderTest Create(ITensorStore store) => new SimulatedChannelUnderTest(store);

    [Fact]
    public void A_cut_link_ends_a_fetch_as_lost_when_the_peer_has_been_silent_for_too_long()
    {
        using var store = new SampleStore(Floats);
        using var channel = new SimulatedChannelUnderTest(store) { IsCut = true };

        Assert.Equal(FetchOutcome.Lost, Fetch(channel).Outcome);
        Assert.True(channel.NowTicks >= TimeSpan.TicksPerSecond);

        channel.IsCut = false;
        Assert.Equal(FetchOutcome.Done, Fetch(channel).Outcome);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void A_connection_that_breaks_at_any_chunk_loses_the_fetch_and_frees_what_it_held(int chunk)
    {
        using var store = new SampleStore(Floats);
        using var channel = new SimulatedChannelUnderTest(store) { BreaksAt = chunk };

        Assert.Equal(FetchOutcome.Lost, Fetch(channel).Outcome);

        Assert.Equal((0, 0), (store.OpenRequests, store.Readers));
        Assert.Equal(FetchOutcome.Done, Fetch(channel).Outcome);
    }

    private static FetchResult Fetch(SimulatedChannelUnderTest channel)
    {
        using var buffer = new AlignedBuffer(Floats);
        using var lane = channel.Transport.Open(channel.Address, 0);
        var ending = new Ending();
        lane.Fetch(Weights, new BufferDestination(0, buffer), ending.Ended);
        channel.Pass(() => ending.IsThere);
        return ending.Wait();
    }
}

/// <summary>The model, and a world in which it takes a tenth of a millisecond from one node to the other.</summary>
internal sealed class SimulatedChannelUnderTest : ChannelUnderTest, IChannelWorld
{
    private const long PassageTicks = TimeSpan.TicksPerMillisecond / 10;

    private readonly EventQueue _queue = new();
    private readonly SimulatedChannel _channel;
    private int _chunks;

    public SimulatedChannelUnderTest(ITensorStore store)
    {
        _channel = new(this);
        _channel.Serve(Address, store);
        Transport = _channel.For(2);
    }

    public override ChannelAddress Address { get; } = new(1, "one", 1, ChannelCredential.Draw());

    public override ITensorTransport Transport { get; }

    public long NowTicks { get; private set; }

    /// <summary>Whether nothing passes between the nodes.</summary>
    public bool IsCut { get; set; }

    /// <summary>The chunk, of all that are fetched, at which the connection breaks; none when it holds.</summary>
    public int? BreaksAt { get; init; }

    public void After(long ticks, Action then) => _queue.Add(NowTicks + ticks, EventKind.Channel, default, null, then);

    public long? Passage(int from, int to) => IsCut ? null : PassageTicks;

    public int ChunkBytesMax => TensorChunk.BytesMax;

    public bool Breaks() => _chunks++ == BreaksAt;

    public override void Stop() => _channel.Stop(Address);

    public override void Pass(Func<bool> hasHappened)
    {
        while (!hasHappened() && _queue.Count > 0)
        {
            Take();
        }
    }

    public override void Settle()
    {
        var isOver = false;
        After(10 * PassageTicks, () => isOver = true);
        Pass(() => isOver);
    }

    private void Take()
    {
        var next = _queue.Take();
        NowTicks = next.AtTicks;
        ((Action)next.Body!)();
    }
}
