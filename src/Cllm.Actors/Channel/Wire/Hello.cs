using System.Buffers.Binary;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// What a caller says of itself before anything else, 56 bytes behind a header. Offsets: 0 digest of the run, 32 credential, 48 node, 52
/// lane.
/// </summary>
/// <param name="Node">The caller's node.</param>
/// <param name="Lane">Which of its lanes this is.</param>
internal readonly record struct Hello(int Node, int Lane)
{
    public const int Bytes = RunBytes + ChannelCredential.Bytes + 8;

    public const int RunBytes = 32;

    /// <summary>The run's digest in a payload.</summary>
    public static ReadOnlySpan<byte> Run(ReadOnlySpan<byte> payload) => payload[..RunBytes];

    /// <summary>The credential in a payload.</summary>
    public static ReadOnlySpan<byte> Credential(ReadOnlySpan<byte> payload) => payload.Slice(RunBytes, ChannelCredential.Bytes);

    /// <summary>Header and payload.</summary>
    /// <param name="run">Digest of the run.</param>
    /// <param name="credential">The credential of the node that is called.</param>
    /// <param name="node">The caller's node.</param>
    /// <param name="lane">The lane.</param>
    public static byte[] Frame(ReadOnlySpan<byte> run, ReadOnlySpan<byte> credential, int node, int lane)
    {
        var frame = new byte[FrameHeader.Bytes + Bytes];
        var payload = frame.AsSpan(FrameHeader.Bytes);
        run.CopyTo(payload);
        credential.CopyTo(payload[RunBytes..]);
        BinaryPrimitives.WriteInt32LittleEndian(payload[48..], node);
        BinaryPrimitives.WriteInt32LittleEndian(payload[52..], lane);
        new FrameHeader(FrameType.Hello, 0, 0, 0, 0, 0, 0, 0, Bytes, 0, FrameHeader.Hash(payload)).Write(frame);
        return frame;
    }

    /// <summary>Reads the parts that are no secrets.</summary>
    /// <param name="header">The frame's header.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="hello">Node and lane.</param>
    public static bool TryRead(in FrameHeader header, ReadOnlySpan<byte> payload, out Hello hello)
    {
        hello = default;
        if (header.Type != FrameType.Hello || !header.Announces(payload))
        {
            return false;
        }

        hello = new(BinaryPrimitives.ReadInt32LittleEndian(payload[48..]), BinaryPrimitives.ReadInt32LittleEndian(payload[52..]));
        return hello.Node >= 0 && hello.Lane is >= 0 and < ITensorTransport.LanesMax;
    }
}
