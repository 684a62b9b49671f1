using System.Runtime.InteropServices;

namespace Cllm.Protocol;

/// <summary>
/// A few immutable 64-bit words that a host put in and a host takes out: losses, norms, scalars. The protocol orders and joins them, and
/// never reads them.
/// </summary>
public sealed class Payload
{
    private readonly long[] _words;

    private Payload(long[] words) => _words = words;

    /// <summary>No words.</summary>
    public static Payload Empty { get; } = new([]);

    /// <summary>The words.</summary>
    public ReadOnlySpan<long> Words => _words;

    /// <summary>A payload with a copy of the words.</summary>
    public static Payload Of(ReadOnlySpan<long> words) => words.IsEmpty ? Empty : new(words.ToArray());

    /// <summary>All words of all parts, in the order of the parts.</summary>
    public static Payload Join(ReadOnlySpan<Payload> parts)
    {
        var count = 0;
        foreach (var part in parts)
        {
            count += part._words.Length;
        }

        var words = new long[count];
        var at = 0;
        foreach (var part in parts)
        {
            part._words.CopyTo(words, at);
            at += part._words.Length;
        }

        return new(words);
    }

    /// <summary>All words of all parts, in the order of the parts.</summary>
    internal static Payload Join(List<Payload> parts) => Join(CollectionsMarshal.AsSpan(parts));

    /// <summary>As in <c>[1,2,3]</c>.</summary>
    public override string ToString() => $"[{string.Join(',', _words)}]";
}
