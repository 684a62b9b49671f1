using System.Runtime.InteropServices;

namespace Cllm.Numerics.Memory;

/// <summary>Native memory for single-precision numbers: zeroed, aligned to a cache line, with one owner who disposes it.</summary>
/// <remarks>Tensors live here and not on the managed heap, so a steady step allocates nothing that the collector would see.</remarks>
public sealed unsafe class AlignedBuffer : IDisposable
{
    /// <summary>Bytes to which every buffer is aligned: one cache line, one 512-bit vector.</summary>
    public const int AlignmentBytes = 64;

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
        bool isLarge = bytes >= 2 * HugePages.Bytes;
        _start = (float*)NativeMemory.AlignedAlloc(bytes, (nuint)(isLarge ? HugePages.Bytes : AlignmentBytes));
        if (isLarge)
        {
            HugePages.Advise(_start, bytes);
        }

        Span.Clear();
    }

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    /// <summary>The whole buffer.</summary>
    /// <exception cref="ObjectDisposedException">The owner has given the memory back.</exception>
    public Span<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_start is null, this);
            return new Span<float>(_start, Length);
        }
    }

    /// <summary>Gives the memory back; spans taken before must not be used any more.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees memory whose owner was lost without disposing it (an actor that was killed).</summary>
    ~AlignedBuffer() => NativeMemory.AlignedFree(_start);
}
