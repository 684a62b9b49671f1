using System.Text.Json.Nodes;

namespace Cllm.Tests.Joining;

/// <summary>A value of <see cref="SmallYaml"/> that stands on one line.</summary>
internal sealed class FlowYaml
{
    private readonly string _text;
    private int _at;

    private FlowYaml(string text) => _text = text;

    private char Here => _at < _text.Length ? _text[_at] : throw new FormatException($"Not ended: {_text}");

    public static JsonNode? Read(string text)
    {
        var flow = new FlowYaml(text);
        var value = flow.Value("");
        return flow._at == text.Length ? value : throw new FormatException($"Not understood: {text[flow._at..]}");
    }

    private JsonNode? Value(string ends) => Here switch
    {
        '{' => Mapping(),
        '[' => Sequence(),
        '"' => Quoted(),
        _ => Plain(ends),
    };

    private JsonObject Mapping()
    {
        var keys = new JsonObject();
        for (_at++; !Over('}');)
        {
            string key = Plain(":");
            _at++;
            _ = Over('\0');
            keys.Add(key, Value(",}"));
        }

        return keys;
    }

    private JsonArray Sequence()
    {
        var items = new JsonArray();
        for (_at++; !Over(']');)
        {
            items.Add(Value(",]"));
        }

        return items;
    }

    /// <summary>Goes past what separates items, and past the sign that ends them if it is there.</summary>
    private bool Over(char end)
    {
        while (Here is ' ' or ',')
        {
            _at++;
        }

        bool over = Here == end;
        _at += over ? 1 : 0;
        return over;
    }

    private JsonNode? Quoted()
    {
        int begin = _at++;
        while (Here != '"')
        {
            _at += Here == '\\' ? 2 : 1;
        }

        _at++;
        return JsonNode.Parse(_text[begin.._at]);
    }

    private string Plain(string ends)
    {
        int begin = _at;
        while (_at < _text.Length && !ends.Contains(_text[_at]))
        {
            _at++;
        }

        string plain = _text[begin.._at].Trim();
        return plain.Length > 0 ? plain : throw new FormatException($"Nothing at {begin} of: {_text}");
    }
}
