using System.Text;
using Cllm.Model.Files;

namespace Cllm.Model.Checkpoints;

/// <summary>
/// A JSON object whose last field is the SHA-256 of every byte before it, so that a file cut anywhere, or with any bit changed, is
/// recognized: there is exactly one valid ending for each beginning.
/// </summary>
internal static class SealedJson
{
    private const string ObjectEnd = "\n}";

    private static readonly int SealBytes = Ending(default).Length;

    /// <summary>Adds the seal to an indented JSON object.</summary>
    public static byte[] Seal(ReadOnlySpan<byte> json)
    {
        if (!json.EndsWith(Encoding.ASCII.GetBytes(ObjectEnd)))
        {
            throw new InvalidOperationException("Only an indented, non-empty JSON object can be sealed.");
        }

        var beginning = json[..^ObjectEnd.Length];
        return [.. beginning, .. Ending(beginning)];
    }

    /// <summary>Refuses a content without its true seal.</summary>
    /// <exception cref="InputException">The content was cut or changed.</exception>
    public static void RequireSeal(string path, ReadOnlySpan<byte> content)
    {
        int beginning = content.Length - SealBytes;
        if (beginning < 0 || !content[beginning..].SequenceEqual(Ending(content[..beginning])))
        {
            throw new InputException(
                $"{path} was cut or changed after it was written: its SHA-256 does not fit; use an older checkpoint.");
        }
    }

    private static byte[] Ending(ReadOnlySpan<byte> beginning) =>
        Encoding.ASCII.GetBytes($",\n  \"sha256\": \"{Digest.Bytes(beginning)}\"{ObjectEnd}\n");
}
