using System.Globalization;
using System.Text;

namespace Cllm.Model.Text;

/// <summary>Every character (Unicode code point) of the training text is a token; ids follow the order of code points.</summary>
public sealed class CharTokenizer : ITokenizer
{
    private readonly Rune[] _characters;
    private readonly Dictionary<Rune, int> _ids = [];
    private readonly TokenTable _table;

    /// <summary>A tokenizer whose id i is character i of the list.</summary>
    internal CharTokenizer(Rune[] characters)
    {
        _characters = characters;
        for (int id = 0; id < characters.Length; id++)
        {
            _ids.Add(characters[id], id);
        }

        _table = new TokenTable([.. characters.Select(c => Encoding.UTF8.GetBytes(c.ToString()))]);
    }

    /// <inheritdoc/>
    public string Kind => "char";

    /// <inheritdoc/>
    public int VocabularySize => _characters.Length;

    /// <summary>The tokenizer of the characters that occur in a text.</summary>
    /// <exception cref="InputException">The text is empty.</exception>
    public static CharTokenizer Train(string text)
    {
        var seen = new HashSet<Rune>();
        foreach (Rune character in text.EnumerateRunes())
        {
            seen.Add(character);
        }

        if (seen.Count == 0)
        {
            throw new InputException("The text is empty, so there is no character to train a tokenizer on; give --data a text.");
        }

        return new CharTokenizer([.. seen.Order()]);
    }

    /// <inheritdoc/>
    public int[] Encode(string text)
    {
        var ids = new int[text.Length];
        int count = 0;
        foreach (Rune character in text.EnumerateRunes())
        {
            if (!_ids.TryGetValue(character, out int id))
            {
                throw Unknown(character, text.AsSpan(0, Position(text, count)));
            }

            ids[count++] = id;
        }

        return count == ids.Length ? ids : ids[..count];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids) => _table.Decode(ids);

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Bytes(int id) => _table[id];

    /// <inheritdoc/>
    public long ByteCount(ReadOnlySpan<int> ids) => _table.ByteCount(ids);

    /// <inheritdoc/>
    public byte[] Serialize() => TokenizerJson.WriteChars(_characters);

    // The index in UTF-16 units of the code point with that number.
    private static int Position(string text, int codePoints)
    {
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (codePoints-- == 0)
            {
                break;
            }

            at += rune.Utf16SequenceLength;
        }

        return at;
    }

    private InputException Unknown(Rune character, ReadOnlySpan<char> before)
    {
        int line = before.Count('\n') + 1;
        int column = before.Length - (before.LastIndexOf('\n') + 1) + 1;
        string shown = Rune.GetUnicodeCategory(character) is UnicodeCategory.Control ? "" : $"'{character}' ";
        return new InputException(
            $"The character {shown}(U+{character.Value:X4}) on line {line}, column {column} does not occur in the text that this character"
            + $" tokenizer was made from ({VocabularySize} characters); leave it out,"
            + " or train with --tokenizer bpe or byte, which take any text.");
    }
}
