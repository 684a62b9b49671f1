using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Certificates;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Channel;

/// <summary>What a channel does, whatever carries it.</summary>
public abstract class ChannelConformance : IDisposable
{
    private const int Floats = 400_003;
    private static readonly Epoch _epoch = new(5);
    private static readonly Step _now = new(3);
    private static readonly ShardIndex _shard = new(0);

    private readonly SampleStore _store = new(Floats);
    private readonly AlignedBuffer _buffer = new(Floats);
    private readonly AlignedBuffer _first = new(Floats);
    private readonly AlignedBuffer _second = new(Floats);
    private readonly BufferDestination _destination;
    private readonly ChannelUnderTest _channel;
    private readonly ITensorLane _lane;

    protected ChannelConformance()
    {
        _destination = new(0, _buffer);
        _channel = Create(_store);
        _lane = _channel.Transport.Open(_channel.Address, 0);
    }

    private static TensorRequest Weights { get; } = TensorRequest.Weights(_epoch, _now, _shard, 0, Floats, 0);

    public void Dispose()
    {
        _lane.Dispose();
        _channel.Dispose();
        _store.Dispose();
        _buffer.Dispose();
        _first.Dispose();
        _second.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract ChannelUnderTest Create(ITensorStore store);

    [Theory]
    [InlineData(0, Floats)]
    [InlineData(0, 1)]
    [InlineData(17, 131_072)]
    [InlineData(200_000, 131_073)]
    [InlineData(Floats - 1, 1)]
    public void Weights_arrive_bit_for_bit_and_nothing_beside_them_is_touched(int offset, int length)
    {
        _buffer.Span.Fill(float.NaN);

        var result = Fetch(_lane, TensorRequest.Weights(_epoch, _now, _shard, offset, length, 0), _destination);

        Assert.Equal(FetchResult.Done, result);
        Assert.True(Same(_store.Weights.Span.Slice(offset, length), _buffer.Span.Slice(offset, length)));
        Assert.All(_buffer.Span[..offset].ToArray(), number => Assert.True(float.IsNaN(number)));
        Assert.All(_buffer.Span[(offset + length)..].ToArray(), number => Assert.True(float.IsNaN(number)));
    }

    [Fact]
    public void A_state_is_weights_and_both_moments()
    {
        var destination = new BufferDestination(0, _buffer, _first, _second);

        Assert.Equal(FetchResult.Done, Fetch(_lane, TensorRequest.State(_epoch, _now, _shard, 3, 100_000), destination));

        Assert.True(Same(_store.Weights.Span.Slice(3, 100_000), _buffer.Span.Slice(3, 100_000)));
        Assert.True(Same(_store.First.Span.Slice(3, 100_000), _first.Span.Slice(3, 100_000)));
        Assert.True(Same(_store.Second.Span.Slice(3, 100_000), _second.Span.Slice(3, 100_000)));
    }

    [Fact]
    public void Moments_are_both_moments_without_the_weights()
    {
        var destination = new BufferDestination(0, _first, _second);

        Assert.Equal(FetchResult.Done, Fetch(_lane, TensorRequest.Moments(_epoch, _now, _shard, 3, 100_000), destination));

        Assert.True(Same(_store.First.Span.Slice(3, 100_000), _first.Span.Slice(3, 100_000)));
        Assert.True(Same(_store.Second.Span.Slice(3, 100_000), _second.Span.Slice(3, 100_000)));
    }

    [Fact]
    public void An_update_is_a_gradient_and_the_scalars_behind_it()
    {
        using var sum = new AlignedBuffer(_store.Sum.Length);
        var request = TensorRequest.Update(_epoch, _now, _shard, 0, Floats);

        Assert.Equal(FetchResult.Done, Fetch(_lane, request, new BufferDestination(0, sum)));

        Assert.True(Same(_store.Sum.Span, sum.Span));
        Assert.Throws<InvalidOperationException>(() => Fetch(_lane, request, _destination));
    }

    [Fact]
    public void A_slice_may_have_a_buffer_of_its_own()
    {
        using var slice = new AlignedBuffer(1_000);

        var request = TensorRequest.Weights(_epoch, _now, _shard, 5_100, 900, 0);
        Assert.Equal(FetchResult.Done, Fetch(_lane, request, new BufferDestination(5_000, slice)));

        Assert.True(Same(_store.Weights.Span.Slice(5_100, 900), slice.Span.Slice(100, 900)));
    }

    [Fact]
    public void A_gradient_is_the_sum_of_the_buffers_that_are_named()
    {
        var request = TensorRequest.Gradient(_epoch, _now, _shard, 1, Floats - 1, new(1, 0), SampleStore.Sources);

        Assert.Equal(FetchResult.Done, Fetch(_lane, request, _destination));

        for (var i = 1; i < Floats; i++)
        {
            Assert.Equal(_store.Gradients[0].Span[i] + _store.Gradients[1].Span[i], _buffer.Span[i]);
        }
    }

    [Fact]
    public void A_gradient_that_is_computed_yet_is_sent_when_it_is_final()
    {
        _store.AreGradientsFinal = false;
        var ending = new Ending();
        _lane.Fetch(TensorRequest.Gradient(_epoch, _now, _shard, 0, Floats, new(1, 0), SampleStore.Sources, 60_000), _destination, ending.Ended);
        Assert.False(ending.IsThere);

        _store.AreGradientsFinal = true;

        Assert.Equal(FetchResult.Done, Wait(ending));
        Assert.Equal(_store.Gradients[0].Span[7] + _store.Gradients[1].Span[7], _buffer.Span[7]);
    }

    [Fact]
    public void The_rest_of_a_blob_can_be_fetched_alone()
    {
        var bytes = new byte[Floats];

        Assert.Equal(FetchResult.Done, Fetch(_lane, TensorRequest.Blob(0, 0, 300_000), new BytesDestination(bytes)));
        var rest = TensorRequest.Blob(0, 300_000, Floats - 300_000);
        Assert.Equal(FetchResult.Done, Fetch(_lane, rest, new BytesDestination(bytes.AsMemory(300_000))));

        Assert.Equal(_store.Bytes, bytes);
    }

    [Theory]
    [InlineData(5, 3, 1, 0, RefusalReason.Unknown)]
    [InlineData(5, 3, 0, 1, RefusalReason.WrongRange)]
    [InlineData(4, 3, 0, 0, RefusalReason.WrongEpoch)]
    [InlineData(5, 2, 0, 0, RefusalReason.Gone)]
    [InlineData(5, 4, 0, 0, RefusalReason.NotYet)]
    public void What_the_store_refuses_is_refused_and_the_lane_goes_on(long epoch, long step, int shard, long offset, RefusalReason reason)
    {
        var result = Fetch(_lane, TensorRequest.Weights(new(epoch), new(step), new(shard), offset, Floats, 0), Roomy);

        Assert.Equal((FetchOutcome.Refused, reason), (result.Outcome, result.Reason));
        Assert.NotEmpty(result.Sentence);
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
    }

    [Fact]
    public void Buffers_held_for_another_lease_are_gone()
    {
        var request = TensorRequest.Gradient(_epoch, _now, _shard, 0, 10, new(1, 0), new[] { SampleStore.Sources[0] });

        Assert.Equal(RefusalReason.Gone, Fetch(_lane, request, _destination).Reason);
    }

    [Fact]
    public void Weights_that_are_not_there_yet_are_sent_when_they_are()
    {
        var ending = new Ending();
        _lane.Fetch(TensorRequest.Weights(_epoch, _now.Next, _shard, 0, Floats, 60_000), _destination, ending.Ended);
        _channel.Settle();
        Assert.False(ending.IsThere);

        _store.Update();

        Assert.Equal(FetchResult.Done, Wait(ending));
        Assert.True(Same(_store.Weights.Span, _buffer.Span));
    }

    [Fact]
    public void What_does_not_come_in_time_is_refused_as_not_yet()
    {
        var result = Fetch(_lane, TensorRequest.Weights(_epoch, _now.Next, _shard, 0, 1, 20), _destination);

        Assert.Equal((FetchOutcome.Refused, RefusalReason.NotYet), (result.Outcome, result.Reason));
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
    }

    [Fact]
    public void A_fetch_that_waits_can_be_cancelled_and_the_lane_goes_on()
    {
        var ending = new Ending();
        _lane.Fetch(TensorRequest.Weights(_epoch, _now.Next, _shard, 0, 1, 60_000), _destination, ending.Ended);
        _channel.Settle();

        _lane.Cancel();

        Assert.Equal(FetchOutcome.Cancelled, Wait(ending).Outcome);
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
        Assert.Equal(1, ending.Times);
    }

    [Fact]
    public void A_fetch_can_be_cancelled_in_the_middle_and_the_lane_goes_on()
    {
        var ending = new Ending();
        _lane.Fetch(Weights, new Hooked(_destination, offset => _lane.CancelIf(offset == 2 * TensorChunk.BytesMax)), ending.Ended);

        Assert.Equal(FetchOutcome.Cancelled, Wait(ending).Outcome);
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
        Assert.True(Same(_store.Weights.Span, _buffer.Span));
    }

    [Fact]
    public void Nothing_happens_when_there_is_nothing_to_cancel()
    {
        _lane.Cancel();

        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
        _lane.Cancel();
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
    }

    [Fact]
    public void A_disposed_lane_cancels_what_was_under_way_and_what_comes_after()
    {
        var ending = new Ending();
        _lane.Fetch(TensorRequest.Weights(_epoch, _now.Next, _shard, 0, 1, 60_000), _destination, ending.Ended);
        _channel.Settle();

        _lane.Dispose();

        Assert.Equal(FetchOutcome.Cancelled, Wait(ending).Outcome);
        Assert.Equal(FetchOutcome.Cancelled, Fetch(_lane, Weights, _destination).Outcome);
    }

    [Fact]
    public void A_peer_that_is_lost_while_a_fetch_waits_ends_it_as_lost()
    {
        var ending = new Ending();
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
        _lane.Fetch(TensorRequest.Weights(_epoch, _now.Next, _shard, 0, 1, 60_000), _destination, ending.Ended);
        _channel.Settle();

        _channel.Stop();

        Assert.Equal(FetchOutcome.Lost, Wait(ending).Outcome);
        Assert.Equal(FetchOutcome.Lost, Fetch(_lane, Weights, _destination).Outcome);
    }

    [Fact]
    public void A_peer_that_is_lost_in_the_middle_ends_the_fetch_as_lost()
    {
        using var store = new SampleStore(8_000_000);
        using var channel = Create(store);
        using var lane = channel.Transport.Open(channel.Address, 0);
        using var buffers = new AlignedBuffer(8_000_000);
        var destination = new Hooked(new BufferDestination(0, buffers), offset => StopIf(channel, offset == 2 * TensorChunk.BytesMax));

        var result = Fetch(lane, TensorRequest.Weights(_epoch, _now, _shard, 0, 8_000_000, 0), destination, channel);

        Assert.Equal(FetchOutcome.Lost, result.Outcome);
        Assert.Equal((0, 0), (store.OpenRequests, store.Readers));
    }

    [Fact]
    public void Nobody_at_the_address_is_lost_too()
    {
        _channel.Stop();

        var result = Fetch(_lane, Weights, _destination);

        Assert.Equal(FetchOutcome.Lost, result.Outcome);
        Assert.Contains(_channel.Address.Port.ToString(), result.Sentence);
    }

    [Fact]
    public void Who_does_not_know_the_credential_gets_nothing()
    {
        using var lane = _channel.Transport.Open(_channel.Address with { Credential = ChannelCredential.Draw() }, 1);

        var result = Fetch(lane, Weights, _destination);

        Assert.Equal((FetchOutcome.Refused, RefusalReason.WrongCredential), (result.Outcome, result.Reason));
    }

    [Fact]
    public void What_changed_while_it_was_read_is_withdrawn()
    {
        _store.AtClose = new(RefusalReason.Withdrawn, "The step has ended.");

        Assert.Equal(FetchResult.Refused(_store.AtClose), Fetch(_lane, Weights, _destination));

        _store.AtClose = TensorRefusal.None;
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
    }

    [Fact]
    public void A_store_that_throws_ends_the_fetch_and_not_the_lane()
    {
        _store.Reading = offset => ThrowIf(offset > 0);

        var result = Fetch(_lane, Weights, _destination);

        Assert.Equal((FetchOutcome.Refused, RefusalReason.Failed), (result.Outcome, result.Reason));
        Assert.Contains("planted", result.Sentence);
        _store.Reading = null;
        Assert.Equal(FetchResult.Done, Fetch(_lane, Weights, _destination));
        Assert.Equal(0, _store.OpenRequests);
    }

    [Fact]
    public void A_lane_takes_one_fetch_at_a_time_and_several_lanes_several()
    {
        var ending = new Ending();
        var late = TensorRequest.Weights(_epoch, _now.Next, _shard, 0, 1, 60_000);
        _lane.Fetch(late, _destination, ending.Ended);

        Assert.Throws<InvalidOperationException>(() => _lane.Fetch(Weights, _destination, ending.Ended));
        using var other = _channel.Transport.Open(_channel.Address, 1);
        Assert.Equal(FetchResult.Done, Fetch(other, Weights, new BufferDestination(0, _first)));

        _store.Update();
        Assert.Equal(FetchResult.Done, Wait(ending));
    }

    [Fact]
    public void A_destination_without_room_is_a_mistake()
    {
        Assert.Throws<InvalidOperationException>(() => Fetch(_lane, Weights, new BufferDestination(1, _buffer)));
        Assert.Throws<InvalidOperationException>(() => Fetch(_lane, Weights, new BufferDestination(0, _buffer, _first, _second)));
        Assert.Throws<InvalidOperationException>(() => Fetch(_lane, TensorRequest.Blob(0, 0, 11), new BytesDestination(new byte[10])));
    }

    [Fact]
    public void The_next_fetch_may_begin_where_the_one_before_ended()
    {
        var (left, all) = (50, new Ending());
        FetchEnded again = null!;
        again = (in TensorRequest request, in FetchResult result) =>
        {
            if (result.Outcome == FetchOutcome.Done && --left > 0)
            {
                _lane.Fetch(request, _destination, again);
                return;
            }

            all.Ended(request, result);
        };

        _lane.Fetch(TensorRequest.Weights(_epoch, _now, _shard, 0, 1_000, 0), _destination, again);

        Assert.Equal(FetchResult.Done, Wait(all));
        Assert.Equal(0, left);
    }

    private FetchResult Fetch(ITensorLane lane, in TensorRequest request, ITensorDestination destination, ChannelUnderTest? channel = null)
    {
        var ending = new Ending();
        lane.Fetch(request, destination, ending.Ended);
        return Wait(ending, channel);
    }

    private FetchResult Wait(Ending ending, ChannelUnderTest? channel = null)
    {
        (channel ?? _channel).Pass(() => ending.IsThere);
        return ending.Wait();
    }

    private static BufferDestination Roomy => new(0, new AlignedBuffer(Floats + 1));

    private static bool Same(ReadOnlySpan<float> left, ReadOnlySpan<float> right) =>
        MemoryMarshal.AsBytes(left).SequenceEqual(MemoryMarshal.AsBytes(right));

    private static void StopIf(ChannelUnderTest channel, bool condition)
    {
        if (condition)
        {
            channel.Stop();
        }
    }

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException("planted");
        }
    }
}

public sealed class LocalConformanceTests : ChannelConformance
{
    private protected override ChannelUnderTest Create(ITensorStore store) => new LocalChannel(store);
}

public sealed class SocketConformanceTests : ChannelConformance
{
    private protected override ChannelUnderTest Create(ITensorStore store) => new SocketChannel(store, SocketChannel.OverTcp);
}

/// <summary>Over the socket that leads past the network, where the system has one.</summary>
public sealed class MachineSocketConformanceTests : ChannelConformance
{
    private protected override ChannelUnderTest Create(ITensorStore store) => new SocketChannel(store);
}

/// <summary>Over TLS with a certificate on both sides.</summary>
public sealed class TlsConformanceTests : ChannelConformance
{
    private static readonly CertificateAuthority _authority =
        CertificateAuthority.Create("a cluster", DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));

    private protected override ChannelUnderTest Create(ITensorStore store) => new SocketChannel(store, SocketChannel.OverTcp, Tls(), Tls());

    internal static ChannelTls Tls() => ChannelTls.IssuedBy(
        _authority.Issue("node", [], DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1)), [_authority.Certificate]);
}
