using System.Runtime.CompilerServices;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Numerics;

public unsafe class BufferArenaTests
{
    /// <summary>Small ones, one that is larger than a block, one that does not fit what is left of a block, an empty one.</summary>
    private static readonly long[] Lengths = [1, 17, 600_000, 3_000_000, 0, 600_000, 64, 1_048_576, 5];

    [Fact]
    public void Buffers_are_aligned_zero_and_apart_from_each_other()
    {
        using var arena = new BufferArena();
        AlignedBuffer[] buffers = [.. Lengths.Select(arena.Take)];
        for (int i = 0; i < buffers.Length; i++)
        {
            Assert.Equal(Lengths[i], buffers[i].Length);
            Assert.False(buffers[i].Span.ContainsAnyExcept(0f));
            buffers[i].Span.Fill(i + 1);
        }

        for (int i = 0; i < buffers.Length; i++)
        {
            Assert.False(buffers[i].Span.ContainsAnyExcept(i + 1f));
            Assert.Equal(0, (nint)Unsafe.AsPointer(ref buffers[i].Span.GetPinnableReference()) % AlignedBuffer.AlignmentBytes);
        }

        Assert.Equal(4 * Lengths.Sum(), arena.Bytes);
    }

    [Fact]
    public void Memory_lives_as_long_as_the_arena()
    {
        var arena = new BufferArena();
        AlignedBuffer first = arena.Take(10), second = arena.Take(10);
        first.Span.Fill(1);
        first.Dispose();
        Assert.Equal(1f, first.Span[9]);
        arena.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => second.Span.Length);
    }

    [Fact]
    public void A_length_that_no_span_has_is_refused()
    {
        using var arena = new BufferArena();
        Assert.Throws<ArgumentOutOfRangeException>(() => arena.Take(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => arena.Take(1L << 31));
    }
}
