using System.Globalization;
using System.Text;

namespace Cllm.Model.Text;

/// <summary>
/// Cuts text into the pieces within which byte-level BPE merges, exactly as GPT-2's pattern does:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
/// <remarks>
/// A scanner and not a Regex, because .NET's classes look at UTF-16 units: a letter outside the basic plane would count as a symbol
/// and be cut differently than in every other implementation. It is also several times faster.
/// </remarks>
internal static class PreToken
{
    private enum Class
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>Length in chars of the piece that begins at <paramref name="start"/>; at least 1 before the end of the text.</summary>
    public static int LengthAt(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> rest = text[start..];
        int contraction = ContractionLength(rest);
        if (contraction > 0)
        {
            return contraction;
        }

        Class first = ClassAt(rest, 0, out int units);
        if (first != Class.Space)
        {
            return RunLength(rest, 0, first);
        }

        // One space goes with the word behind it.
        if (rest[0] == ' ' && rest.Length > 1 && ClassAt(rest, 1, out _) is var next && next != Class.Space)
        {
            return RunLength(rest, 1, next);
        }

        // \s+(?!\S): a longer run of white space leaves its last character to what follows.
        int run = RunLength(rest, 0, Class.Space);
        return run == rest.Length || run == units ? run : run - 1;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'')
        {
            return 0;
        }

        if (text[1] is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }

        return text.Length > 2 && (text[1], text[2]) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    private static int RunLength(ReadOnlySpan<char> text, int start, Class of)
    {
        int at = start;
        while (at < text.Length && ClassAt(text, at, out int units) == of)
        {
            at += units;
        }

        return at;
    }

    private static Class ClassAt(ReadOnlySpan<char> text, int at, out int units)
    {
        char c = text[at];
        units = 1;
        if (c < 128)
        {
            return char.IsAsciiLetter(c) ? Class.Letter
                : char.IsAsciiDigit(c) ? Class.Number
                : char.IsWhiteSpace(c) ? Class.Space
                : Class.Other;
        }

        Rune.DecodeFromUtf16(text[at..], out Rune rune, out units);
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Class.Letter,
            >= UnicodeCategory.DecimalDigitNumber and <= UnicodeCategory.OtherNumber => Class.Number,
            _ => Rune.IsWhiteSpace(rune) ? Class.Space : Class.Other,
        };
    }
}
