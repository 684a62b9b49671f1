using System.Runtime.InteropServices;
using Cllm.Numerics.Memory;

namespace Cllm.Actors.Channel;

/// <summary>
/// Where a fetch writes. The bytes are received right there: whoever gives a destination leaves its memory alone, and in place, until the
/// fetch has ended.
/// </summary>
public interface ITensorDestination
{
    /// <summary>Whether the whole of a request fits.</summary>
    bool Fits(in TensorRequest request);

    /// <summary>Memory for one chunk of a request that fits.</summary>
    /// <param name="request">The request.</param>
    /// <param name="section">Section, from 0.</param>
    /// <param name="offset">Bytes from the start of the section.</param>
    /// <param name="length">Bytes.</param>
    /// <returns>Exactly <paramref name="length"/> bytes.</returns>
    Span<byte> Chunk(in TensorRequest request, int section, long offset, int length);
}

/// <summary>
/// Floats in aligned buffers, one for each section: one buffer for gradients, weights and updates, whose scalars lie behind the gradient; weights, first and
/// second moment for a state.
/// </summary>
/// <remarks>
/// Over whole vectors the first float is 0 and a request's range lies at its own offset. A buffer that holds one slice only says at which
/// offset of the vector it begins.
/// </remarks>
public sealed class BufferDestination : ITensorDestination
{
    private readonly AlignedBuffer[] _sections;

    /// <summary>Describes the buffers.</summary>
    /// <param name="firstFloat">Offset in the flat parameter vector of the buffers' first float.</param>
    /// <param name="sections">
    /// 1 to 3 buffers. They stay their owner's, who disposes them only after the last fetch into them has ended.
    /// </param>
    public BufferDestination(long firstFloat, params AlignedBuffer[] sections)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstFloat);
        ArgumentOutOfRangeException.ThrowIfZero(sections.Length);
        FirstFloat = firstFloat;
        _sections = sections;
    }

    /// <summary>Offset in the flat parameter vector of the buffers' first float. Changed between fetches only.</summary>
    public long FirstFloat { get; set; }

    /// <inheritdoc/>
    public bool Fits(in TensorRequest request)
    {
        if (request.Kind == TensorKind.Blob || request.Sections != _sections.Length || request.Offset < FirstFloat)
        {
            return false;
        }

        foreach (var buffer in _sections)
        {
            if (request.Offset - FirstFloat + (request.SectionBytes / sizeof(float)) > buffer.Length)
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public Span<byte> Chunk(in TensorRequest request, int section, long offset, int length) => MemoryMarshal.AsBytes(
        _sections[section].Span.Slice((int)(request.Offset - FirstFloat + (offset / sizeof(float))), length / sizeof(float)));
}

/// <summary>Bytes of a blob, in memory of the caller.</summary>
/// <param name="bytes">Gets the request's range, at its start.</param>
public sealed class BytesDestination(Memory<byte> bytes) : ITensorDestination
{
    /// <inheritdoc/>
    public bool Fits(in TensorRequest request) => request.Kind == TensorKind.Blob && request.Length <= bytes.Length;

    /// <inheritdoc/>
    public Span<byte> Chunk(in TensorRequest request, int section, long offset, int length) => bytes.Span.Slice((int)offset, length);
}
