using System.Runtime.InteropServices;

namespace Cllm.Numerics.Memory;

/// <summary>Native memory for single-precision numbers: zeroed, aligned to a cache line, with one owner who disposes it.</summary>
/// <remarks>Tensors live here and not on the managed heap, so a steady step allocates nothing that the collector would see.</remarks>
public sealed unsafe class AlignedBuffer : IDisposable
{
    /// <summary>Bytes to which every buffer is aligned: one cache line, one 512-bit vector.</summary>
    public const int AlignmentBytes = 64;

    /// <summary>Bytes from which on a buffer takes whole pages of 2 MiB.</summary>
    private const int LargeBytes = HugePages.Bytes / 4 * 3;

    /// <summary>The buffer whose memory this is a part of; null for one with memory of its own.</summary>
    private readonly AlignedBuffer? _whole;
    private readonly int _offset;
    private float* _start;

    /// <summary>Allocates <paramref name="length"/> zeros.</summary>
    /// <param name="length">Number of floats, 0 to <see cref="int.MaxValue"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or does not fit a span.</exception>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public AlignedBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, int.MaxValue);
        Length = (int)length;
        nuint bytes = (nuint)Math.Max(length * sizeof(float), AlignmentBytes);
        if (bytes < LargeBytes)
        {
            _start = (float*)NativeMemory.AlignedAlloc(bytes, AlignmentBytes);
        }
        else
        {
            bytes = (bytes + HugePages.Bytes - 1) / HugePages.Bytes * HugePages.Bytes;
            _start = (float*)NativeMemory.AlignedAlloc(bytes, HugePages.Bytes);
            HugePages.Advise(_start, bytes);
        }

        Span.Clear();
    }

    /// <summary>A part of a buffer that goes on owning the memory.</summary>
    internal AlignedBuffer(AlignedBuffer whole, int offset, int length)
    {
        (_whole, _offset, Length) = (whole, offset, length);
        GC.SuppressFinalize(this);
    }

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    /// <summary>The whole buffer.</summary>
    /// <exception cref="ObjectDisposedException">The owner has given the memory back.</exception>
    public Span<float> Span
    {
        get
        {
            if (_whole is not null)
            {
                return _whole.Span.Slice(_offset, Length);
            }

            ObjectDisposedException.ThrowIf(_start is null, this);
            return new Span<float>(_start, Length);
        }
    }

    /// <summary>Gives the memory back, if it is its own; spans taken before must not be used any more.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees memory whose owner was lost without disposing it (an actor that was killed).</summary>
    ~AlignedBuffer() => NativeMemory.AlignedFree(_start);
}
