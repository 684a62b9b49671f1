using System.Text;
using System.Text.Json;

namespace Cllm.Model.Text;

/// <summary>
/// Reads a Hugging Face tokenizer.json. What would change ids and is not implemented (normalizers, other patterns, word prefixes) is
/// refused by name, so that a tokenizer which loads gives the ids it gives elsewhere.
/// </summary>
internal sealed class TokenizerJsonReader(string path, JsonElement root)
{
    /// <summary>The tokenizer that the file describes.</summary>
    /// <exception cref="InputException">It is of another construction.</exception>
    public ITokenizer Read()
    {
        JsonElement model = root.GetProperty("model");

        // The oldest files leave the model's type out when it is BPE.
        string type = Text(model, "type") ?? (model.TryGetProperty("merges", out _) ? "BPE" : "none");
        Refuse(Has(root, "normalizer"), "a normalizer");
        return type switch
        {
            "WordLevel" => ReadChars(model),
            "BPE" => ReadBpe(model),
            _ => throw Refusal($"a model of type {type}"),
        };
    }

    private CharTokenizer ReadChars(JsonElement model)
    {
        bool splits = root.TryGetProperty("pre_tokenizer", out JsonElement pre) && pre.ValueKind == JsonValueKind.Object
            && Text(pre, "type") == "Split" && Text(pre.GetProperty("pattern"), "Regex") == TokenizerJson.AnyCharacter;
        Refuse(!splits, "a WordLevel model without a Split into single characters");
        string?[] tokens = ReadVocabulary(model);
        var characters = new Rune[tokens.Length];
        for (int id = 0; id < tokens.Length; id++)
        {
            bool single = tokens[id] is { } token && Rune.TryGetRuneAt(token, 0, out characters[id])
                && characters[id].Utf16SequenceLength == token.Length;
            Refuse(!single, "a WordLevel vocabulary whose entries are not single characters");
        }

        return new CharTokenizer(characters);
    }

    private ITokenizer ReadBpe(JsonElement model)
    {
        Refuse(Has(model, "continuing_subword_prefix"), "a continuing_subword_prefix");
        Refuse(Has(model, "end_of_word_suffix"), "an end_of_word_suffix");
        Refuse(Has(model, "dropout"), "dropout");
        Refuse(IsTrue(model, "byte_fallback"), "byte_fallback");
        Refuse(IsTrue(model, "ignore_merges"), "ignore_merges");
        if (!root.TryGetProperty("pre_tokenizer", out JsonElement pre) || pre.ValueKind != JsonValueKind.Object
            || Text(pre, "type") != "ByteLevel")
        {
            throw Refusal("another pre-tokenizer than ByteLevel");
        }

        Refuse(IsTrue(pre, "add_prefix_space"), "add_prefix_space");
        bool usesPattern = !pre.TryGetProperty("use_regex", out JsonElement use) || use.GetBoolean();
        string?[] symbols = ReadVocabulary(model);
        Dictionary<string, int> added = ReadAdded(ref symbols);
        var ids = new Dictionary<string, int>();
        var tokens = new byte[]?[symbols.Length];
        var addedTexts = added.ToDictionary(entry => entry.Value, entry => entry.Key);
        for (int id = 0; id < symbols.Length; id++)
        {
            if (symbols[id] is { } symbol)
            {
                Refuse(!ids.TryAdd(symbol, id), $"the token \"{symbol}\" twice");
                tokens[id] = addedTexts.TryGetValue(id, out string? text) ? Encoding.UTF8.GetBytes(text) : ByteSymbols.Read(symbol);
                Refuse(tokens[id] is null, $"the token \"{symbol}\", which is not made of GPT-2's symbols for bytes");
            }
        }

        for (int value = 0; value < 256; value++)
        {
            bool known = ids.TryGetValue(ByteSymbols.Write([(byte)value]), out int id) && !addedTexts.ContainsKey(id);
            Refuse(!known, $"no token for byte 0x{value:X2}");
        }

        BpeMerge[] merges = ReadMerges(model, ids);
        if (usesPattern)
        {
            return new BpeTokenizer(tokens, merges, added);
        }

        bool isBytes = merges.Length == 0 && tokens.Length == 256
            && tokens.Select((bytes, id) => bytes is [byte value] && value == id).All(same => same);
        return isBytes ? new ByteTokenizer() : throw Refusal("a ByteLevel pre-tokenizer without GPT-2's pattern (use_regex false)");
    }

    private string?[] ReadVocabulary(JsonElement model)
    {
        var byId = new SortedDictionary<int, string>();
        var seen = new HashSet<string>();
        foreach (JsonProperty entry in model.GetProperty("vocab").EnumerateObject())
        {
            int id = entry.Value.GetInt32();
            Refuse(entry.Name.Length == 0, "a token without text");
            Refuse(!seen.Add(entry.Name), $"the token \"{entry.Name}\" twice");
            if (id is < 0 or >= 1 << 24 || !byId.TryAdd(id, entry.Name))
            {
                throw new InputException(
                    $"{path}: the token \"{entry.Name}\" has id {id}, which is negative, too large or taken; repair the vocabulary.");
            }
        }

        Refuse(byId.Count == 0, "an empty vocabulary");
        var tokens = new string?[byId.Last().Key + 1];
        foreach ((int id, string token) in byId)
        {
            tokens[id] = token;
        }

        return tokens;
    }

    // Added tokens may lie behind the model's vocabulary, so the list of symbols may grow.
    private Dictionary<string, int> ReadAdded(ref string?[] symbols)
    {
        var added = new Dictionary<string, int>();
        if (!root.TryGetProperty("added_tokens", out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            return added;
        }

        foreach (JsonElement token in list.EnumerateArray())
        {
            string text = token.GetProperty("content").GetString() ?? "";
            int id = token.GetProperty("id").GetInt32();
            Refuse(text.Length == 0 || id is < 0 or >= 1 << 24, "an added token without text or with an id out of range");
            bool strips = IsTrue(token, "lstrip") || IsTrue(token, "rstrip") || IsTrue(token, "single_word");
            Refuse(strips, $"the added token \"{text}\" with rules for the space around it");
            if (id >= symbols.Length)
            {
                Array.Resize(ref symbols, id + 1);
            }

            Refuse(symbols[id] is { } other && other != text, $"an added token \"{text}\" with the id of another token");
            symbols[id] = text;
            Refuse(!added.TryAdd(text, id), $"the added token \"{text}\" twice");
        }

        return added;
    }

    private BpeMerge[] ReadMerges(JsonElement model, Dictionary<string, int> ids)
    {
        var merges = new List<BpeMerge>();
        var seen = new HashSet<(int, int)>();
        foreach (JsonElement entry in model.GetProperty("merges").EnumerateArray())
        {
            // "a b" until 2024, ["a", "b"] since.
            string[] pair = entry.ValueKind == JsonValueKind.Array
                ? [.. entry.EnumerateArray().Select(part => part.GetString() ?? "")]
                : (entry.GetString() ?? "").Split(' ');
            if (pair.Length != 2 || !ids.TryGetValue(pair[0], out int left) || !ids.TryGetValue(pair[1], out int right)
                || !ids.ContainsKey(pair[0] + pair[1]) || !seen.Add((left, right)))
            {
                throw new InputException(
                    $"{path}: merge {merges.Count + 1} ({entry}) is not a new pair of tokens that together are a token; repair the file.");
            }

            merges.Add(new BpeMerge(left, right));
        }

        return [.. merges];
    }

    private static string? Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsTrue(JsonElement from, string name) =>
        from.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    // Whether the field is there and says something: null, "" and 0 say nothing.
    private static bool Has(JsonElement from, string name) => from.TryGetProperty(name, out JsonElement value) && value.ValueKind switch
    {
        JsonValueKind.Null => false,
        JsonValueKind.String => value.GetString() != "",
        JsonValueKind.Number => value.GetDouble() != 0,
        _ => true,
    };

    private void Refuse(bool condition, string what)
    {
        if (condition)
        {
            throw Refusal(what);
        }
    }

    private InputException Refusal(string what) => new(
        $"{path} has {what}, and only byte-level BPE as in GPT-2 and this program's own tokenizers can be read; use such a file.");
}
