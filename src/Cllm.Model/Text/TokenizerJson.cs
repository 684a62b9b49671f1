using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Cllm.Model.Text;

/// <summary>
/// Writes tokenizers in the format of Hugging Face's tokenizers library. The construction says which kind it is, so the files need
/// no mark of ours: WordLevel over single characters is char, BPE without merges whose ids are the bytes' values is byte, any other
/// byte-level BPE is bpe.
/// </summary>
internal static class TokenizerJson
{
    /// <summary>The pattern that a character tokenizer splits by.</summary>
    public const string AnyCharacter = @"[\s\S]";

    // Escaping has to be the same for ever, because digests depend on it: these ranges are fixed, later Unicode versions add nothing.
    private static readonly JsonWriterOptions Options = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.BasicLatin, UnicodeRanges.Latin1Supplement, UnicodeRanges.LatinExtendedA),
    };

    /// <summary>The byte tokenizer: BPE without merges; the id of a byte is its value.</summary>
    public static byte[] WriteBytes() => Write(json =>
    {
        WriteByteLevel(json, usesPattern: false, new Dictionary<string, int>());
        IEnumerable<string> symbols = Enumerable.Range(0, 256).Select(value => ByteSymbols.Write([(byte)value]));
        WriteBpeModel(json, symbols.Select((symbol, id) => (symbol, id)), []);
    });

    /// <summary>A character tokenizer: WordLevel over a Split into single characters.</summary>
    public static byte[] WriteChars(IReadOnlyList<Rune> characters) => Write(json =>
    {
        json.WriteStartArray("added_tokens");
        json.WriteEndArray();
        json.WriteNull("normalizer");
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", AnyCharacter);
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        json.WriteNull("post_processor");
        json.WriteStartObject("decoder");
        json.WriteString("type", "Fuse");
        json.WriteEndObject();
        json.WriteStartObject("model");
        json.WriteString("type", "WordLevel");
        WriteVocabulary(json, characters.Select((character, id) => (character.ToString(), id)));

        // Required, and of five letters so that it can be no character: an unknown character is an error, not a token.
        json.WriteString("unk_token", "<unk>");
        json.WriteEndObject();
    });

    /// <summary>A byte-level BPE.</summary>
    public static byte[] WriteBpe(byte[]?[] tokens, BpeMerge[] merges, IReadOnlyDictionary<string, int> added) => Write(json =>
    {
        WriteByteLevel(json, usesPattern: true, added);
        Dictionary<int, string> addedTexts = added.ToDictionary(entry => entry.Value, entry => entry.Key);
        var vocabulary = new List<(string, int)>();
        for (int id = 0; id < tokens.Length; id++)
        {
            if (tokens[id] is { } bytes)
            {
                vocabulary.Add((addedTexts.GetValueOrDefault(id) ?? ByteSymbols.Write(bytes), id));
            }
        }

        WriteBpeModel(json, vocabulary, merges.Select(m => $"{ByteSymbols.Write(tokens[m.Left])} {ByteSymbols.Write(tokens[m.Right])}"));
    });

    private static byte[] Write(Action<Utf8JsonWriter> content)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            content(json);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, bool usesPattern, IReadOnlyDictionary<string, int> added)
    {
        json.WriteStartArray("added_tokens");
        foreach ((string text, int id) in added.OrderBy(entry => entry.Value))
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", text);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNull("normalizer");
        WriteByteLevelStage(json, "pre_tokenizer", usesPattern);
        json.WriteNull("post_processor");
        WriteByteLevelStage(json, "decoder", usesPattern);
    }

    private static void WriteByteLevelStage(Utf8JsonWriter json, string name, bool usesPattern)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", usesPattern);
        json.WriteEndObject();
    }

    private static void WriteBpeModel(Utf8JsonWriter json, IEnumerable<(string Token, int Id)> vocabulary, IEnumerable<string> merges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        WriteVocabulary(json, vocabulary);
        json.WriteStartArray("merges");
        foreach (string merge in merges)
        {
            json.WriteStringValue(merge);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteVocabulary(Utf8JsonWriter json, IEnumerable<(string Token, int Id)> vocabulary)
    {
        json.WriteStartObject("vocab");
        foreach ((string token, int id) in vocabulary)
        {
            json.WriteNumber(token, id);
        }

        json.WriteEndObject();
    }
}
