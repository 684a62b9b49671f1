namespace Cllm.Numerics.Memory;

/// <summary>
/// Memory for many buffers that live and die together. They lie side by side in blocks that are large enough for pages of 2 MiB, which each of them alone
/// would not be.
/// </summary>
/// <param name="isMeasuredOnly">Whether only <see cref="Bytes"/> is wanted: buffers are empty then, and no memory is taken.</param>
public sealed class BufferArena(bool isMeasuredOnly = false) : IDisposable
{
    /// <summary>Floats of a block that no larger buffer has to itself: two pages.</summary>
    private const int BlockFloats = 2 * HugePages.Bytes / sizeof(float);

    private const int AlignmentFloats = AlignedBuffer.AlignmentBytes / sizeof(float);

    private static readonly AlignedBuffer Nothing = new(0);

    private readonly List<AlignedBuffer> _blocks = [];
    private int _used;

    /// <summary>Bytes of all buffers, without the gaps between them.</summary>
    public long Bytes { get; private set; }

    /// <summary>A buffer of zeros, aligned to a cache line. It lives as long as this; disposing it does nothing.</summary>
    /// <param name="length">Number of floats.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or does not fit a span.</exception>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public AlignedBuffer Take(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Bytes += length * sizeof(float);
        if (isMeasuredOnly)
        {
            return Nothing;
        }

        if (_blocks.Count == 0 || length > _blocks[^1].Length - _used)
        {
            _blocks.Add(new AlignedBuffer(Math.Max(length, BlockFloats)));
            _used = 0;
        }

        var buffer = new AlignedBuffer(_blocks[^1], _used, (int)length);
        _used = (int)Math.Min((_used + length + AlignmentFloats - 1) / AlignmentFloats * AlignmentFloats, _blocks[^1].Length);
        return buffer;
    }

    /// <summary>Gives all of it back; spans taken before must not be used any more.</summary>
    public void Dispose()
    {
        foreach (AlignedBuffer block in _blocks)
        {
            block.Dispose();
        }
    }
}
