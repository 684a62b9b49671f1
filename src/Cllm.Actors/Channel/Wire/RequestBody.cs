using System.Buffers.Binary;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// What of a request is not in its header, little endian. Offsets: 0 length, 8 wait in milliseconds, 12 level and 16 index of the node,
/// 20 number of sources; then for each source 24 bytes: level, index, worker, buffer (4 each), lease (8).
/// </summary>
internal static class RequestBody
{
    public const int BytesMin = 24;

    public const int BytesMax = BytesMin + (SourceBytes * TensorRequest.SourcesMax);

    private const int SourceBytes = 24;

    private const int LevelMax = 30;

    /// <summary>Bytes that a request needs.</summary>
    public static int Length(in TensorRequest request) => BytesMin + (SourceBytes * request.Sources.Length);

    /// <summary>Writes a request's body.</summary>
    /// <param name="request">The request.</param>
    /// <param name="bytes">Exactly its length.</param>
    public static void Write(in TensorRequest request, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, request.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], request.WaitMilliseconds);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], request.Node.Level);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], request.Node.Index);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], request.Sources.Length);
        bytes = bytes[BytesMin..];
        foreach (ref readonly var source in request.Sources.Span)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, source.Node.Level);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], source.Node.Index);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], source.Worker.Number);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], source.Buffer.Number);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], source.Buffer.Lease.Number);
            bytes = bytes[SourceBytes..];
        }
    }

    /// <summary>Reads a request whose header has been read and whose payload's checksum is right.</summary>
    /// <param name="header">The header.</param>
    /// <param name="bytes">The payload.</param>
    /// <param name="sources">Gets the sources; made longer where it is too short, for it is used for all requests of a lane.</param>
    /// <param name="request">The request; empty when there is a fault.</param>
    /// <param name="fault">What is wrong.</param>
    public static bool TryRead(
        in FrameHeader header, ReadOnlySpan<byte> bytes, ref ReductionSource[] sources, out TensorRequest request, out FrameFault fault)
    {
        request = default;
        var count = bytes.Length < BytesMin ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        if (count is < 0 or > TensorRequest.SourcesMax || bytes.Length != BytesMin + (count * SourceBytes)
            || (count > 0) != (header.Kind == TensorKind.Gradient))
        {
            fault = FrameFault.Length;
            return false;
        }

        var length = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var wait = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        var node = new LeafNode(BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]));
        var waits = header.Kind != TensorKind.Blob;
        if (length is < 1 or > TensorRequest.LengthMax || wait < 0 || wait > (waits ? TensorRequest.WaitMillisecondsMax : 0)
            || !IsPossible(node) || (header.Kind != TensorKind.Gradient && node != default)
            || (header.Kind == TensorKind.Blob && header.Epoch != 0))
        {
            fault = FrameFault.Payload;
            return false;
        }

        if (!TryReadSources(bytes[BytesMin..], count, ref sources))
        {
            fault = FrameFault.Source;
            return false;
        }

        fault = FrameFault.None;
        request = Request(header, length, node, sources.AsMemory(0, count), wait);
        return true;
    }

    private static TensorRequest Request(
        in FrameHeader header, long length, LeafNode node, ReadOnlyMemory<ReductionSource> sources, int wait)
    {
        var (epoch, step, shard) = (new Epoch(header.Epoch), new Step(header.Step), new ShardIndex(header.Number));
        return header.Kind switch
        {
            TensorKind.Gradient => TensorRequest.Gradient(epoch, step, shard, header.Offset, length, node, sources, wait),
            TensorKind.Weights => TensorRequest.Weights(epoch, step, shard, header.Offset, length, wait),
            TensorKind.State => TensorRequest.State(epoch, step, shard, header.Offset, length, wait),
            TensorKind.Moments => TensorRequest.Moments(epoch, step, shard, header.Offset, length, wait),
            TensorKind.Update => TensorRequest.Update(epoch, step, shard, header.Offset, length, wait),
            _ => TensorRequest.Blob(header.Number, header.Offset, length, step),
        };
    }

    private static bool TryReadSources(ReadOnlySpan<byte> bytes, int count, ref ReductionSource[] sources)
    {
        if (sources.Length < count)
        {
            sources = new ReductionSource[count];
        }

        for (var i = 0; i < count; i++, bytes = bytes[SourceBytes..])
        {
            var node = new LeafNode(BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]));
            var worker = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
            var buffer = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
            var lease = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
            if (!IsPossible(node) || worker < 0 || buffer < BufferLease.Any || lease < 0)
            {
                return false;
            }

            sources[i] = new(node, new(worker), new(new(lease), buffer));
        }

        return true;
    }

    private static bool IsPossible(LeafNode node) =>
        node.Level is >= 0 and <= LevelMax && node.Index >= 0 && (long)node.Index << node.Level <= int.MaxValue;
}
