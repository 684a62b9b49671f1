using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Wire;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Channel;

/// <summary>A server that knows the protocol and lies in one place.</summary>
public sealed class LieTests
{
    private const int Floats = 1_000;
    private static readonly ChannelLimits _limits = new() { SilenceMilliseconds = 500 };
    private static readonly byte[] _payload = new byte[Floats * sizeof(float)];

    private static readonly Dictionary<string, Func<FrameHeader, FrameHeader>> _lies = new()
    {
        ["type"] = header => header with { Type = FrameType.Complete, Length = 0, PayloadHash = 0 },
        ["impossible type"] = header => header with { Type = (FrameType)9 },
        ["request in answer to a request"] = header => header with { Type = FrameType.Request },
        ["kind"] = header => header with { Kind = TensorKind.Gradient },
        ["section"] = header => header with { Section = 1 },
        ["request"] = header => header with { Request = header.Request + 1 },
        ["number"] = header => header with { Number = 1 },
        ["negative number"] = header => header with { Number = -1 },
        ["epoch"] = header => header with { Epoch = header.Epoch + 1 },
        ["step"] = header => header with { Step = header.Step - 1 },
        ["offset"] = header => header with { Offset = 4 },
        ["negative offset"] = header => header with { Offset = -4 },
        ["length too short"] = header => header with { Length = header.Length - 4 },
        ["length too long"] = header => header with { Length = header.Length + 4 },
        ["length of a whole chunk"] = header => header with { Length = TensorChunk.BytesMax },
        ["largest length"] = header => header with { Length = int.MaxValue },
        ["negative length"] = header => header with { Length = -1 },
        ["code"] = header => header with { Code = 3 },
        ["checksum"] = header => header with { PayloadHash = header.PayloadHash ^ 1 },
    };

    public static IEnumerable<object[]> Lies => _lies.Keys.Select(name => new object[] { name });

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_chunk_that_lies_in_its_header_is_no_answer(string lie)
    {
        using var server = new LyingServer((request, header) => LyingServer.Bytes(_lies[lie](Chunk(request, header.Request)), _payload));
        Assert.Equal(FetchOutcome.Mismatch, Fetch(server).Outcome);
    }

    [Fact]
    public void The_same_server_without_a_lie_is_believed()
    {
        using var server = new LyingServer((request, header) =>
            [.. LyingServer.Bytes(Chunk(request, header.Request), _payload),
             .. LyingServer.Bytes(FrameHeader.Of(FrameType.Complete, request, header.Request))]);
        Assert.Equal(FetchResult.Done, Fetch(server));
    }

    [Fact]
    public void A_byte_that_changed_on_the_way_is_noticed()
    {
        using var server = new LyingServer((request, header) =>
        {
            var frame = LyingServer.Bytes(Chunk(request, header.Request), _payload);
            frame[^1] ^= 64;
            return frame;
        });
        var result = Fetch(server);
        Assert.Equal(FetchOutcome.Mismatch, result.Outcome);
        Assert.Contains("checksum", result.Sentence);
    }

    [Fact]
    public void An_answer_that_completes_too_early_is_no_answer()
    {
        using var server = new LyingServer((request, header) =>
            LyingServer.Bytes(FrameHeader.Of(FrameType.Complete, request, header.Request)));
        Assert.Equal(FetchOutcome.Mismatch, Fetch(server).Outcome);
    }

    [Fact]
    public void An_answer_that_never_completes_is_lost()
    {
        using var server = new LyingServer((request, header) => LyingServer.Bytes(Chunk(request, header.Request), _payload));
        var result = Fetch(server);
        Assert.Equal(FetchOutcome.Lost, result.Outcome);
        Assert.Contains("silent", result.Sentence);
    }

    [Fact]
    public void An_answer_that_breaks_off_is_lost()
    {
        var connections = 0;
        using var server = new LyingServer((request, header) =>
            connections++ == 0 ? LyingServer.Bytes(Chunk(request, header.Request), _payload)[..1_000] : null);
        Assert.Equal(FetchOutcome.Lost, Fetch(server).Outcome);
    }

    [Fact]
    public void Who_only_ever_says_that_it_is_alive_is_not_waited_for()
    {
        using var server = new LyingServer((request, header) =>
        {
            var waiting = LyingServer.Bytes(FrameHeader.Of(FrameType.Waiting, request, header.Request));
            return [.. waiting, .. waiting, .. waiting];
        });
        Assert.Equal(FetchOutcome.Lost, Fetch(server).Outcome);
    }

    [Fact]
    public void A_refusal_is_cleaned_before_anybody_reads_it()
    {
        var sentence = "no\u001b[31m\r\nway"u8.ToArray();
        using var server = new LyingServer((request, header) => LyingServer.Bytes(
            FrameHeader.Of(FrameType.Refusal, request, header.Request) with
            {
                Code = (byte)RefusalReason.Gone,
                Length = sentence.Length,
                PayloadHash = FrameHeader.Hash(sentence),
            },
            sentence));
        Assert.Equal(FetchResult.Refused(new(RefusalReason.Gone, "no [31m  way")), Fetch(server));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_does_not_welcome_is_no_tensor_channel(int seed)
    {
        var noise = new byte[4_096];
        new Random(seed).NextBytes(noise);
        using var server = new LyingServer((_, _) => null, noise);
        Assert.Equal(FetchOutcome.Mismatch, Fetch(server).Outcome);
    }

    [Fact]
    public void Who_accepts_and_then_says_nothing_is_given_up_in_time()
    {
        using var server = new LyingServer((_, _) => null, []);
        using var buffer = new AlignedBuffer(1);
        using var lane = new TensorLane(server.Address, 0, new(2, "a run"), _limits with { ConnectMilliseconds = 200 });
        var result = lane.Fetch(TensorRequest.Weights(default, default, default, 0, 1, 0), new BufferDestination(0, buffer));
        Assert.Equal(FetchOutcome.Lost, result.Outcome);
        Assert.Contains("within 200 ms", result.Sentence);
    }

    [Fact]
    public void Another_version_is_named_as_such()
    {
        var welcome = LyingServer.Bytes(new FrameHeader(FrameType.Welcome, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        welcome[4]++;
        using var server = new LyingServer((_, _) => null, welcome);
        Assert.Equal(RefusalReason.OtherVersion, Fetch(server).Reason);
    }

    private static FrameHeader Chunk(in TensorRequest request, uint number) => FrameHeader.Of(FrameType.Chunk, request, number) with
    {
        Offset = 0,
        Length = _payload.Length,
        PayloadHash = FrameHeader.Hash(_payload),
    };

    private static FetchResult Fetch(LyingServer server)
    {
        using var buffer = new AlignedBuffer(3 * Floats);
        buffer.Span.Fill(7);
        using var lane = new TensorLane(server.Address, 0, new(2, "a run"), _limits);
        var result = lane.Fetch(TensorRequest.Weights(new(5), new(3), new(0), Floats, Floats, 0), new BufferDestination(0, buffer));
        Assert.All(buffer.Span[..Floats].ToArray(), number => Assert.Equal(7, number));
        Assert.All(buffer.Span[(2 * Floats)..].ToArray(), number => Assert.Equal(7, number));
        return result;
    }
}
