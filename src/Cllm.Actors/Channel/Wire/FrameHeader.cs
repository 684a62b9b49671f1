using System.Buffers.Binary;
using System.IO.Hashing;

namespace Cllm.Actors.Channel.Wire;

/// <summary>What a frame is. The numbers travel.</summary>
internal enum FrameType : byte
{
    Hello = 1,
    Welcome = 2,
    Request = 3,
    Chunk = 4,
    Complete = 5,
    Refusal = 6,
    Waiting = 7,
}

/// <summary>Why bytes are not a frame.</summary>
internal enum FrameFault : byte
{
    None = 0,
    Short,
    Magic,
    Version,
    Checksum,
    Type,
    Kind,
    Section,
    Code,
    Number,
    Length,
    Payload,
    Source,
}

/// <summary>
/// The 64 bytes before every payload, little endian. Offsets: 0 magic, 4 version, 5 type, 6 kind, 7 section, 8 request, 12 number, 16
/// epoch, 24 step, 32 offset, 40 length, 44 code, 48 checksum of the payload, 56 checksum of the header up to here (both XXH3, 64 bits).
/// </summary>
/// <param name="Type">What the frame is.</param>
/// <param name="Kind">What is fetched; 0 in the frames of the handshake.</param>
/// <param name="Section">Section of a chunk.</param>
/// <param name="Request">Number of the request on its lane.</param>
/// <param name="Number">Shard or blob.</param>
/// <param name="Epoch">The request's epoch.</param>
/// <param name="Step">The request's step.</param>
/// <param name="Offset">Of a chunk: bytes from the start of its section. Else the request's offset.</param>
/// <param name="Length">Bytes of the payload behind the header.</param>
/// <param name="Code">A <see cref="RefusalReason"/> in Welcome and Refusal.</param>
/// <param name="PayloadHash">XXH3 of the payload; 0 when there is none.</param>
internal readonly record struct FrameHeader(
    FrameType Type, TensorKind Kind, byte Section, uint Request, int Number, long Epoch, long Step, long Offset, int Length, byte Code,
    ulong PayloadHash)
{
    public const int Bytes = 64;

    public const uint Magic = 0x43544C43; // "CLTC"

    public const byte Version = 1;

    public const int SentenceBytesMax = 200;

    private const int HashedBytes = 56;

    /// <summary>The header of a frame that belongs to a request.</summary>
    public static FrameHeader Of(FrameType type, in TensorRequest request, uint number) =>
        new(type, request.Kind, 0, number, request.Number, request.Epoch.Number, request.Step.Number, request.Offset, 0, 0, 0);

    /// <summary>Reads and checks what can be checked without knowing the request.</summary>
    /// <param name="bytes">At least <see cref="Bytes"/>.</param>
    /// <param name="header">The header; empty when there is a fault.</param>
    /// <param name="fault">What is wrong.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out FrameHeader header, out FrameFault fault)
    {
        header = default;
        fault = Envelope(bytes);
        if (fault != FrameFault.None)
        {
            return false;
        }

        var read = new FrameHeader(
            (FrameType)bytes[5],
            (TensorKind)bytes[6],
            bytes[7],
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            bytes[44],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]));
        fault = (bytes[45] | bytes[46] | bytes[47]) != 0 ? FrameFault.Code : read.Content();
        if (fault != FrameFault.None)
        {
            return false;
        }

        header = read;
        return true;
    }

    /// <summary>Writes the header.</summary>
    /// <param name="bytes">At least <see cref="Bytes"/>.</param>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        bytes[4] = Version;
        bytes[5] = (byte)Type;
        bytes[6] = (byte)Kind;
        bytes[7] = Section;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Request);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], Step);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[32..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[40..], Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[44..], Code);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[48..], PayloadHash);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[HashedBytes..], XxHash3.HashToUInt64(bytes[..HashedBytes]));
    }

    /// <summary>Whether a payload is the one that the header announces.</summary>
    public bool Announces(ReadOnlySpan<byte> payload) => payload.Length == Length && PayloadHash == Hash(payload);

    /// <summary>The checksum of a payload.</summary>
    public static ulong Hash(ReadOnlySpan<byte> payload) => payload.IsEmpty ? 0 : XxHash3.HashToUInt64(payload);

    /// <summary>Magic and version come before the checksum: another version may compute another one, and shall be told so.</summary>
    private static FrameFault Envelope(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Bytes)
        {
            return FrameFault.Short;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
        {
            return FrameFault.Magic;
        }

        if (bytes[4] != Version)
        {
            return FrameFault.Version;
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(bytes[HashedBytes..]) == XxHash3.HashToUInt64(bytes[..HashedBytes])
            ? FrameFault.None
            : FrameFault.Checksum;
    }

    private FrameFault Content()
    {
        var isHandshake = Type is FrameType.Hello or FrameType.Welcome;
        if (Type is < FrameType.Hello or > FrameType.Waiting)
        {
            return FrameFault.Type;
        }

        if (isHandshake ? Kind != 0 : Kind is < TensorKind.Gradient or > TensorKind.Update)
        {
            return FrameFault.Kind;
        }

        if (Section != 0 && (Type != FrameType.Chunk || Section >= TensorRequest.SectionsOf(Kind)))
        {
            return FrameFault.Section;
        }

        if (Code > (byte)RefusalReason.Certificate || (Code != 0) != (Type == FrameType.Refusal) && Type != FrameType.Welcome)
        {
            return FrameFault.Code;
        }

        if (Number < 0 || Epoch < 0 || Step < 0 || Offset is < 0 or > TensorRequest.LengthMax)
        {
            return FrameFault.Number;
        }

        return LengthIsPossible() && (Length > 0 || PayloadHash == 0) ? FrameFault.None : FrameFault.Length;
    }

    private bool LengthIsPossible() => Type switch
    {
        FrameType.Hello => Length == Hello.Bytes,
        FrameType.Request => Length is >= RequestBody.BytesMin and <= RequestBody.BytesMax,
        FrameType.Chunk => Length is > 0 and <= TensorChunk.BytesMax,
        FrameType.Refusal => Length is >= 0 and <= SentenceBytesMax,
        _ => Length == 0,
    };
}
