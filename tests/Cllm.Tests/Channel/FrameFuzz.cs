using System.Buffers.Binary;
using System.IO.Hashing;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Wire;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Messages;

namespace Cllm.Tests.Channel;

/// <summary>Random bytes and valid frames with changes, against the parsers, a server and a lane. A failure names the seed.</summary>
public sealed class FrameFuzz
{
    private const int Floats = 1_000;

    [Fact]
    public void A_frame_that_is_accepted_says_exactly_what_its_bytes_say()
    {
        var budget = new FuzzBudget(0.6);
        var again = new byte[FrameHeader.Bytes];
        var (accepted, refused) = (0, 0);
        byte[] frame;
        do
        {
            frame = Changed(AnyFrame(budget.Random), budget.Random);
            if (!FrameHeader.TryRead(frame, out var header, out var fault))
            {
                Assert.NotEqual(FrameFault.None, fault);
                refused++;
                continue;
            }

            header.Write(again);
            Assert.True(
                again.AsSpan().SequenceEqual(frame.AsSpan(0, FrameHeader.Bytes)), $"seed {budget.Seed}: {Convert.ToHexString(frame)}");
            Assert.InRange(header.Length, 0, Math.Max(TensorChunk.BytesMax, RequestBody.BytesMax));
            accepted++;
        }
        while (budget.Spend(frame.Length));

        Assert.True(accepted > 0 && refused > accepted, $"{accepted} accepted, {refused} refused");
    }

    [Fact]
    public void A_request_that_is_accepted_says_exactly_what_its_bytes_say()
    {
        var budget = new FuzzBudget(0.2);
        ReductionSource[] sources = [];
        var (accepted, refused) = (0, 0);
        byte[] frame;
        do
        {
            frame = AnyRequest(budget.Random);
            Disturb(frame.AsSpan(FrameHeader.Bytes), budget.Random, budget.Random.Next(3));
            Assert.True(FrameHeader.TryRead(frame, out var header, out _));
            var body = frame.AsSpan(FrameHeader.Bytes, budget.Random.Next(4) > 0 ? header.Length : budget.Random.Next(header.Length));
            if (!RequestBody.TryRead(header, body, ref sources, out var request, out var fault))
            {
                Assert.NotEqual(FrameFault.None, fault);
                refused++;
                continue;
            }

            var again = new byte[RequestBody.Length(request)];
            RequestBody.Write(request, again);
            Assert.True(again.AsSpan().SequenceEqual(body), $"seed {budget.Seed}: {Convert.ToHexString(frame)}");
            Assert.InRange(sources.Length, 0, TensorRequest.SourcesMax);
            accepted++;
        }
        while (budget.Spend(frame.Length));

        Assert.True(accepted > 0 && refused > 0, $"{accepted} accepted, {refused} refused");
    }

    [Fact]
    public void A_server_survives_whatever_is_said_to_it()
    {
        var budget = new FuzzBudget(0.1);
        using var store = new SampleStore(Floats);
        using var channel = new SocketChannel(store, new() { HandshakeMilliseconds = 2_000, SilenceMilliseconds = 200 });
        using var honest = channel.Transport.Open(channel.Address, 200);
        using var buffer = new AlignedBuffer(Floats);
        byte[] said;
        do
        {
            var hello = Caller.Hello(channel.Address, budget.Random.Next(4), budget.Random.Next(4));
            said = budget.Random.Next(2) == 0
                ? [.. Changed(hello, budget.Random), .. AnyRequest(budget.Random)]
                : [.. hello, .. Changed(AnyRequest(budget.Random), budget.Random), .. Changed(AnyFrame(budget.Random), budget.Random)];
            using var caller = new Caller(channel.Address).Say(said);
            if (budget.Random.Next(8) == 0)
            {
                Assert.Equal(FetchResult.Done, Fetch(honest, buffer));
            }
        }
        while (budget.Spend(said.Length));

        Assert.Equal(FetchResult.Done, Fetch(honest, buffer));
        honest.Dispose();
        Assert.True(SpinWait.SpinUntil(() => store.Readers == 0, TimeSpan.FromSeconds(30)), $"seed {budget.Seed}: a lane is left");
        Assert.Equal(0, store.OpenRequests);
    }

    [Fact]
    public void A_lane_takes_no_changed_answer_for_the_right_one()
    {
        var budget = new FuzzBudget(0.1);
        var payload = new byte[64];
        var (spent, isHonest, believed) = (0, false, 0);
        using var server = new LyingServer((request, header) =>
        {
            var chunk = FrameHeader.Of(FrameType.Chunk, request, header.Request) with
            {
                Offset = 0,
                Length = payload.Length,
                PayloadHash = FrameHeader.Hash(payload),
            };
            byte[] honest =
            [
                .. LyingServer.Bytes(chunk, payload),
                .. LyingServer.Bytes(FrameHeader.Of(FrameType.Complete, request, header.Request)),
            ];
            var said = Changed(honest, budget.Random);
            (spent, isHonest) = (said.Length, said.AsSpan().SequenceEqual(honest));
            return said;
        });
        using var buffer = new AlignedBuffer(48);
        using var lane = new TensorLane(server.Address, 0, new(2, "a run"), new() { SilenceMilliseconds = 50 });
        do
        {
            buffer.Span.Fill(3);
            var request = TensorRequest.Weights(new(1), new(2), new(3), 16, 16, 0);
            var result = lane.Fetch(request, new BufferDestination(0, buffer));
            if (result.Outcome == FetchOutcome.Done)
            {
                Assert.True(isHonest, $"seed {budget.Seed}: a changed answer was believed");
                believed++;
            }

            Assert.All(buffer.Span[..16].ToArray(), number => Assert.Equal(3, number));
            Assert.All(buffer.Span[32..].ToArray(), number => Assert.Equal(3, number));
        }
        while (budget.Spend(spent));

        Assert.True(believed > 0);
    }

    private static FetchResult Fetch(ITensorLane lane, AlignedBuffer buffer) =>
        lane.Fetch(TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0), new BufferDestination(0, buffer));

    private static byte[] AnyFrame(Random random)
    {
        if (random.Next(8) == 0)
        {
            var noise = new byte[FrameHeader.Bytes];
            random.NextBytes(noise);
            return noise;
        }

        var type = (FrameType)random.Next(1, 8);
        var isHandshake = type is FrameType.Hello or FrameType.Welcome;
        var kind = (TensorKind)(isHandshake ? 0 : random.Next(1, 7));
        var length = type switch
        {
            FrameType.Hello => Hello.Bytes,
            FrameType.Request => RequestBody.BytesMin + (24 * random.Next(5)),
            FrameType.Chunk => random.Next(1, TensorChunk.BytesMax + 1),
            FrameType.Refusal => random.Next(FrameHeader.SentenceBytesMax + 1),
            _ => 0,
        };
        var section = (byte)(type == FrameType.Chunk ? random.Next(TensorRequest.SectionsOf(kind)) : 0);
        var code = (byte)(type == FrameType.Refusal ? random.Next(1, 14) : 0);
        return LyingServer.Bytes(new(
            type, kind, section, (uint)random.Next(), random.Next(), random.NextInt64(), random.NextInt64(),
            random.NextInt64(TensorRequest.LengthMax), length, code, length == 0 ? 0 : (ulong)random.NextInt64()));
    }

    private static byte[] AnyRequest(Random random) => Caller.Request(random.Next(6) switch
    {
        0 => TensorRequest.Weights(new(5), new(random.Next(2, 5)), default, 0, random.Next(1, Floats), random.Next(2) * 60_000),
        1 => TensorRequest.State(new(5), new(3), new(0), random.Next(Floats), random.Next(1, Floats)),
        2 => TensorRequest.Moments(new(5), new(3), new(0), random.Next(Floats), random.Next(1, Floats), random.Next(2) * 60_000),
        3 => TensorRequest.Update(new(5), new(3), new(0), 0, random.Next(1, Floats), random.Next(2) * 60_000),
        4 => TensorRequest.Blob(random.Next(2), random.Next(Floats), random.Next(1, 2 * Floats)),
        _ => TensorRequest.Gradient(new(5), new(3), new(0), 0, Floats, new(1, 0), SampleStore.Sources, waitMilliseconds: 9),
    });

    /// <summary>Nothing, a few bits or bytes, or a piece is changed; half of the time the header's checksum is made right again.</summary>
    private static byte[] Changed(byte[] frame, Random random)
    {
        frame = [.. frame];
        Disturb(frame.AsSpan(0, Math.Min(frame.Length, FrameHeader.Bytes)), random, random.Next(4));
        if (random.Next(8) == 0)
        {
            Disturb(frame, random, 1);
        }

        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(56), XxHash3.HashToUInt64(frame.AsSpan(0, 56)));
        }

        return frame;
    }

    private static void Disturb(Span<byte> bytes, Random random, int times)
    {
        ReadOnlySpan<byte> telling = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x7F, 0x80, 0xFF];
        for (var i = 0; i < times; i++)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(3))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = telling[random.Next(telling.Length)];
                    break;
                default:
                    random.NextBytes(bytes.Slice(at, random.Next(1, Math.Min(9, bytes.Length - at + 1))));
                    break;
            }
        }
    }
}
