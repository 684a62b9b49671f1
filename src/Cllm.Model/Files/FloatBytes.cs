using System.Runtime.InteropServices;

namespace Cllm.Model.Files;

/// <summary>Numbers as the little-endian bytes that files and digests hold, without copying.</summary>
internal static class FloatBytes
{
    /// <summary>Numbers handled at a time: keeps byte counts within an int, however long the vector.</summary>
    public const int ChunkLength = 1 << 20;

    /// <summary>The bytes of at most <see cref="ChunkLength"/> numbers.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<float> values)
    {
        RequireLittleEndian();
        return MemoryMarshal.AsBytes(values);
    }

    /// <summary>The bytes of at most <see cref="ChunkLength"/> numbers, to read into.</summary>
    public static Span<byte> Of(Span<float> values)
    {
        RequireLittleEndian();
        return MemoryMarshal.AsBytes(values);
    }

    private static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Files and digests are little-endian, and so must the processor be.");
        }
    }
}
