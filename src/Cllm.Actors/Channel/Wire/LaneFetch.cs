using System.Text;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// The asking side of one fetch over a connection: the request goes out, every frame that comes in is compared with what must come.
/// </summary>
/// <param name="peer">Named in sentences.</param>
/// <param name="limits">Bounds.</param>
/// <param name="counters">Counts the bytes.</param>
internal sealed class LaneFetch(ChannelAddress peer, ChannelLimits limits, ChannelCounters? counters)
{
    private readonly byte[] _headerBytes = new byte[FrameHeader.Bytes];
    private byte[] _requestBytes = new byte[FrameHeader.Bytes + RequestBody.BytesMin];
    private uint _number;
    private long _waitEnds;

    /// <summary>Whether a frame of the answer has arrived; if none has, the connection may have been dead before.</summary>
    public bool HasAnswer { get; private set; }

    /// <summary>Performs the fetch.</summary>
    public FetchResult Perform(LaneConnection connection, in TensorRequest request, ITensorDestination destination)
    {
        HasAnswer = false;
        _number++;
        _waitEnds = Environment.TickCount64 + request.WaitMilliseconds + limits.SilenceMilliseconds;
        if (connection.Write(Compose(request)) is var flow && flow != Flow.Done)
        {
            return Lost(flow, request);
        }

        for (var section = 0; section < request.Sections; section++)
        {
            for (long offset = 0; offset < request.SectionBytes; offset += TensorChunk.BytesMax)
            {
                var length = TensorChunk.Length(request.SectionBytes, offset);
                var expected = FrameHeader.Of(FrameType.Chunk, request, _number) with
                {
                    Section = (byte)section,
                    Offset = offset,
                    Length = length,
                };
                if (Await(connection, request, expected, out var header) is { } end)
                {
                    return end;
                }

                var chunk = destination.Chunk(request, section, offset, length);
                if (connection.Read(chunk) is var read && read != Flow.Done)
                {
                    return Lost(read, request);
                }

                if (!header.Announces(chunk))
                {
                    return FetchResult.Mismatch($"{peer} sent {request} with a wrong checksum at byte {offset} of section {section}.");
                }

                counters?.Received(request.Kind, length);
            }
        }

        return Await(connection, request, FrameHeader.Of(FrameType.Complete, request, _number), out _) ?? FetchResult.Done;
    }

    private ReadOnlySpan<byte> Compose(in TensorRequest request)
    {
        var length = RequestBody.Length(request);
        if (_requestBytes.Length < FrameHeader.Bytes + length)
        {
            _requestBytes = new byte[FrameHeader.Bytes + length];
        }

        var frame = _requestBytes.AsSpan(0, FrameHeader.Bytes + length);
        var body = frame[FrameHeader.Bytes..];
        RequestBody.Write(request, body);
        (FrameHeader.Of(FrameType.Request, request, _number) with { Length = length, PayloadHash = FrameHeader.Hash(body) }).Write(frame);
        return frame;
    }

    /// <summary>Reads frames until the expected one: none is returned when it is there, else how the fetch ended.</summary>
    private FetchResult? Await(LaneConnection connection, in TensorRequest request, in FrameHeader expected, out FrameHeader header)
    {
        while (true)
        {
            header = default;
            if (connection.Read(_headerBytes) is var flow && flow != Flow.Done)
            {
                return Lost(flow, request);
            }

            if (!FrameHeader.TryRead(_headerBytes, out header, out var fault))
            {
                return FetchResult.Mismatch($"{peer} sent a frame that is none ({fault}) in answer to {request}.");
            }

            HasAnswer = true;
            if (header with { PayloadHash = expected.PayloadHash } == expected)
            {
                return null;
            }

            if (header with { Code = 0, Length = 0, PayloadHash = 0 } == FrameHeader.Of(FrameType.Refusal, request, _number))
            {
                return Refusal(connection, request, header);
            }

            if (header != FrameHeader.Of(FrameType.Waiting, request, _number) || Environment.TickCount64 > _waitEnds)
            {
                return FetchResult.Mismatch($"{peer} answered {request} with {header} where {expected} had to come.");
            }
        }
    }

    private FetchResult Refusal(LaneConnection connection, in TensorRequest request, in FrameHeader header)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.SentenceBytesMax];
        var sentence = bytes[..header.Length];
        if (connection.Read(sentence) is var flow && flow != Flow.Done)
        {
            return Lost(flow, request);
        }

        return header.Announces(sentence)
            ? FetchResult.Refused(new((RefusalReason)header.Code, Printable(sentence)))
            : FetchResult.Mismatch($"{peer} refused {request} with a sentence whose checksum is wrong.");
    }

    /// <summary>The sentence without what could disturb a terminal or a log: it was written elsewhere.</summary>
    private static string Printable(ReadOnlySpan<byte> sentence) =>
        string.Create(Encoding.UTF8.GetCharCount(sentence), sentence, static (characters, bytes) =>
        {
            Encoding.UTF8.GetChars(bytes, characters);
            foreach (ref var character in characters)
            {
                character = char.IsControl(character) ? ' ' : character;
            }
        });

    private FetchResult Lost(Flow flow, in TensorRequest request) => FetchResult.Lost(flow == Flow.Silent
        ? $"{peer} was silent for {limits.SilenceMilliseconds} ms during {request}."
        : $"The connection to {peer} ended during {request}.");
}
