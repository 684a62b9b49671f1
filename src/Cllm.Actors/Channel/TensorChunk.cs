namespace Cllm.Actors.Channel;

/// <summary>How a request is cut: both sides cut alike, so every chunk's section, offset and length is known before it arrives.</summary>
public static class TensorChunk
{
    /// <summary>Largest chunk: small enough that it is hashed and copied in the second-level cache.</summary>
    public const int BytesMax = 512 * 1024;

    /// <summary>Length of the chunk that begins at an offset of a section.</summary>
    /// <param name="sectionBytes">Bytes of the section.</param>
    /// <param name="offset">Where the chunk begins.</param>
    public static int Length(long sectionBytes, long offset) => (int)Math.Min(BytesMax, sectionBytes - offset);
}
