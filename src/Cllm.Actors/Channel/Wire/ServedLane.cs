using System.Runtime.InteropServices;
using System.Text;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Channel.Wire;

/// <summary>The answering side of a lane: a thread that reads one request after another and sends what the store gives.</summary>
internal sealed class ServedLane : IDisposable
{
    private const int StackBytes = 512 * 1024;

    /// <summary>How soon a waiting lane notices that its peer has gone. Hundreds of lanes may wait through a whole step, beside the computing.</summary>
    private const int LookMilliseconds = 500;

    private readonly LaneConnection _connection;
    private readonly ChannelLimits _limits;
    private readonly ChannelCounters? _counters;
    private readonly TensorSignal _changed;
    private readonly ITensorReader _reader;
    private readonly Action<ServedLane> _left;
    private readonly byte[] _headerBytes = new byte[FrameHeader.Bytes];
    private readonly Thread _thread;

    /// <summary>Made when it is needed: a node of a large cluster serves as many lanes for weights as for gradients.</summary>
    private AlignedBuffer? _scratch;
    private byte[] _body = new byte[RequestBody.BytesMin];
    private ReductionSource[] _sources = [];
    private long _spokeAt;

    public ServedLane(
        LaneConnection connection, Hello hello, ITensorStore store, ChannelLimits limits, ChannelCounters? counters,
        Action<ServedLane> left)
    {
        (_connection, Hello, _limits, _counters, _left) = (connection, hello, limits, counters, left);
        (_changed, _reader) = (store.Changed, store.CreateReader());
        _thread = new(Run, StackBytes) { IsBackground = true, Name = $"lane {hello.Lane} from node {hello.Node}" };
    }

    /// <summary>Who is served.</summary>
    public Hello Hello { get; }

    public void Start() => _thread.Start();

    /// <summary>Ends the connection and waits for the thread, which ends by itself.</summary>
    public void Dispose()
    {
        _connection.Abort();
        _thread.Join();
    }

    /// <summary>Ends the connection.</summary>
    public void Abort() => _connection.Abort();

    private void Run()
    {
        try
        {
            while (_connection.WaitForBytes() && TryReadRequest(out var request, out var number) && Serve(request, number))
            {
            }
        }
        finally
        {
            _connection.Dispose();
            _reader.Dispose();
            _scratch?.Dispose();
            _left(this);
        }
    }

    private bool TryReadRequest(out TensorRequest request, out uint number)
    {
        request = default;
        number = 0;
        if (_connection.Read(_headerBytes) != Flow.Done
            || !FrameHeader.TryRead(_headerBytes, out var header, out _)
            || header.Type != FrameType.Request)
        {
            return false;
        }

        if (_body.Length < header.Length)
        {
            _body = new byte[header.Length];
        }

        var body = _body.AsSpan(0, header.Length);
        if (_connection.Read(body) != Flow.Done)
        {
            return false;
        }

        number = header.Request;
        var fault = FrameFault.Checksum;
        if (header.Announces(body) && RequestBody.TryRead(header, body, ref _sources, out request, out fault))
        {
            return true;
        }

        SendRefusal(
            header with { Type = FrameType.Refusal, Length = 0, PayloadHash = 0 },
            new(RefusalReason.Malformed, $"The request cannot be read ({fault})."));
        return false;
    }

    /// <summary>Answers one request.</summary>
    /// <returns>False when the lane is to be closed.</returns>
    private bool Serve(in TensorRequest request, uint number)
    {
        TensorRefusal refusal;
        try
        {
            var opening = WaitUntilOpen(request, number);
            if (opening.State == OpeningState.NotYet)
            {
                return false;
            }

            refusal = opening.State == OpeningState.Refused ? opening.Refusal : TensorRefusal.None;
            if (opening.State == OpeningState.Ready && !Send(request, number, out refusal))
            {
                return false;
            }
        }
        catch (Exception failure)
        {
            // Whatever is wrong with what was asked for, it ends this fetch and not the process that serves others.
            refusal = new(RefusalReason.Failed, $"Reading failed: {failure.Message}");
        }

        return refusal.Reason == RefusalReason.None
            ? Send(FrameHeader.Of(FrameType.Complete, request, number))
            : SendRefusal(FrameHeader.Of(FrameType.Refusal, request, number), refusal);
    }

    /// <summary>Opens the request as soon as it is ready. <see cref="OpeningState.NotYet"/> is returned when the peer has gone.</summary>
    private TensorOpening WaitUntilOpen(in TensorRequest request, uint number)
    {
        var ends = Environment.TickCount64 + request.WaitMilliseconds;
        _spokeAt = Environment.TickCount64;
        while (true)
        {
            var version = _changed.Version;
            var opening = _reader.Open(request);
            if (opening.State != OpeningState.NotYet)
            {
                return opening;
            }

            var now = Environment.TickCount64;
            if (now >= ends)
            {
                return TensorOpening.Refuse(RefusalReason.NotYet, "It is not there yet.");
            }

            // One request at a time: whoever says something now, or ends the connection, does not want the answer any more.
            if (_connection.Aborted || _connection.HasBytes() || !SayThatThisIsAlive(request, number, now))
            {
                return TensorOpening.NotYet;
            }

            _changed.WaitBeyond(version, (int)Math.Min(LookMilliseconds, ends - now));
        }
    }

    private bool SayThatThisIsAlive(in TensorRequest request, uint number, long now)
    {
        if (now - _spokeAt < _limits.AliveMilliseconds)
        {
            return true;
        }

        _spokeAt = now;
        return Send(FrameHeader.Of(FrameType.Waiting, request, number));
    }

    /// <summary>Sends all chunks of an opened request and closes it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="number">Its number.</param>
    /// <param name="refusal">Why the receiver must not use them; None when it may.</param>
    /// <returns>False when the connection has ended.</returns>
    private bool Send(in TensorRequest request, uint number, out TensorRefusal refusal)
    {
        var isComplete = false;
        var isConnected = true;
        try
        {
            isComplete = SendChunks(request, number, ref isConnected);
        }
        finally
        {
            refusal = _reader.Close();
        }

        if (!isComplete && refusal.Reason == RefusalReason.None)
        {
            refusal = new(RefusalReason.Withdrawn, "It could not be read to its end.");
        }

        return isConnected;
    }

    private bool SendChunks(in TensorRequest request, uint number, ref bool isConnected)
    {
        var isMade = request.Kind is TensorKind.Gradient or TensorKind.Blob;
        var scratch = isMade ? MemoryMarshal.AsBytes((_scratch ??= new(TensorChunk.BytesMax / sizeof(float))).Span) : Span<byte>.Empty;
        for (var section = 0; section < request.Sections; section++)
        {
            for (long offset = 0; offset < request.SectionBytes; offset += TensorChunk.BytesMax)
            {
                var length = TensorChunk.Length(request.SectionBytes, offset);
                var chunk = _reader.Read(section, offset, length, scratch);
                if (chunk.Length != length)
                {
                    return false;
                }

                var header = FrameHeader.Of(FrameType.Chunk, request, number) with
                {
                    Section = (byte)section,
                    Offset = offset,
                    Length = length,
                    PayloadHash = FrameHeader.Hash(chunk),
                };
                isConnected = Send(header) && _connection.Write(chunk) == Flow.Done;
                if (!isConnected)
                {
                    return false;
                }

                _counters?.Sent(request.Kind, length);
            }
        }

        return true;
    }

    private bool Send(in FrameHeader header)
    {
        header.Write(_headerBytes);
        return _connection.Write(_headerBytes) == Flow.Done;
    }

    private bool SendRefusal(in FrameHeader header, in TensorRefusal refusal)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Bytes + FrameHeader.SentenceBytesMax];
        Encoding.UTF8.TryGetBytes(refusal.Sentence, bytes[FrameHeader.Bytes..], out var length);
        var sentence = bytes.Slice(FrameHeader.Bytes, length);
        var full = header with { Code = (byte)refusal.Reason, Length = length, PayloadHash = FrameHeader.Hash(sentence) };
        full.Write(bytes);
        return _connection.Write(bytes[..(FrameHeader.Bytes + length)]) == Flow.Done;
    }
}
