using System.Text.Json;
using System.Text.Unicode;

namespace Cllm.Model.Files;

/// <summary>
/// The fields of a JSON object that may have been damaged or written by others: each is asked for by name and type, and what is
/// wrong becomes a sentence that names the place.
/// </summary>
internal sealed class JsonFields
{
    private readonly Dictionary<string, JsonElement> _fields = [];
    private readonly List<string> _names = [];

    private JsonFields(string place, JsonElement element)
    {
        Place = place;
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong($"is JSON of the kind {element.ValueKind} where an object was expected");
        }

        foreach (var property in element.EnumerateObject())
        {
            if (!_fields.TryAdd(property.Name, property.Value))
            {
                throw Wrong($"has \"{Shown(property.Name)}\" twice");
            }

            _names.Add(property.Name);
        }
    }

    /// <summary>File, and place within it, for sentences.</summary>
    public string Place { get; }

    /// <summary>The names of all fields, in order of appearance.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Parses a file's content.</summary>
    /// <exception cref="InputException">It is not one JSON object, or has a name twice.</exception>
    public static JsonFields Parse(string path, ReadOnlyMemory<byte> content)
    {
        if (!Utf8.IsValid(content.Span))
        {
            throw new InputException($"{path} is not valid JSON (it is not UTF-8 text); correct the file or copy it again.");
        }

        try
        {
            using var document = JsonDocument.Parse(content);
            return new JsonFields(path, document.RootElement.Clone());
        }
        catch (Exception e) when (IsMalformed(e))
        {
            throw new InputException($"{path} is not valid JSON ({FirstSentence(e.Message)}); correct the file or copy it again.", e);
        }
    }

    /// <summary>A text from a file that is safe to print: short, without control characters.</summary>
    public static string Shown(string text)
    {
        string shown = text.Length <= 100 ? text : text[..100] + "…";
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }

    public bool Has(string name) => _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null;

    public JsonFields Object(string name)
    {
        var value = Required(name);
        try
        {
            return new JsonFields($"{Place}: \"{Shown(name)}\"", value);
        }
        catch (InvalidOperationException e)
        {
            throw Wrong($"has an invalid name within \"{Shown(name)}\"", e);
        }
    }

    public string Text(string name)
    {
        var value = Required(name);
        try
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                return value.GetString()!;
            }
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: not text, like any other kind.
        }

        throw WrongType(name, "a text");
    }

    public bool Flag(string name) => Required(name).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw WrongType(name, "true or false"),
    };

    public long Whole(string name, long min, long max = long.MaxValue)
    {
        var value = Required(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= min && number <= max
            ? number
            : throw WrongType(name, max == long.MaxValue ? $"a whole number, at least {min}" : $"a whole number from {min} to {max}");
    }

    public int Count(string name, int min, int max = int.MaxValue) => (int)Whole(name, min, max);

    public ulong Unsigned(string name)
    {
        var value = Required(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong number)
            ? number
            : throw WrongType(name, "a whole number");
    }

    public double Number(string name)
    {
        var value = Required(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw WrongType(name, "a number");
    }

    public float Single(string name)
    {
        var value = Required(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && float.IsFinite(number)
            ? number
            : throw WrongType(name, "a number");
    }

    public long[] Wholes(string name)
    {
        var value = Required(name);
        if (value.ValueKind != JsonValueKind.Array || !value.EnumerateArray().All(IsWhole))
        {
            throw WrongType(name, "a list of whole numbers");
        }

        return [.. value.EnumerateArray().Select(e => e.GetInt64())];

        static bool IsWhole(JsonElement e) => e.ValueKind == JsonValueKind.Number && e.TryGetInt64(out long n) && n >= 0;
    }

    public InputException Wrong(string what, Exception? inner = null)
    {
        string sentence = $"{Place} {what}; correct the file or copy it again.";
        return inner is null ? new InputException(sentence) : new InputException(sentence, inner);
    }

    private InputException WrongType(string name, string expected) =>
        Wrong($"has \"{Shown(name)}\" = {Shown(_fields[name].GetRawText())} where {expected} was expected");

    private JsonElement Required(string name) =>
        _fields.TryGetValue(name, out var value) ? value : throw Wrong($"lacks \"{Shown(name)}\"");

    // A name or text with half a surrogate pair is an InvalidOperationException, not a JsonException.
    private static bool IsMalformed(Exception e) => e is JsonException or InvalidOperationException;

    private static string FirstSentence(string message) => Shown(message.Split(". ")[0].TrimEnd('.'));
}
