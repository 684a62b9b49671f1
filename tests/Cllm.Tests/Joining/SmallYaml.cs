using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cllm.Tests.Joining;

/// <summary>
/// As much YAML as deploy/ is written in: mappings and sequences, by indentation and in brackets, texts in double quotes, block texts, comments on lines of their
/// own. All values are texts. What is beyond that is an error, and so is a key that is there twice.
/// </summary>
internal sealed partial class SmallYaml
{
    private readonly List<string> _lines;
    private int _at;

    private SmallYaml(IEnumerable<string> lines) => _lines = [.. lines];

    public static JsonNode[] Documents(string text) =>
        [.. Regex.Split(text, @"^---\n", RegexOptions.Multiline).Select(part => new SmallYaml(part.Split('\n')).Document())];

    private JsonNode Document()
    {
        var node = Block() ?? throw new FormatException("An empty document.");
        return Next() ? throw new FormatException($"Not understood: {_lines[_at]}") : node;
    }

    /// <summary>Goes to the next line that says something; false when there is none.</summary>
    private bool Next()
    {
        while (_at < _lines.Count && (_lines[_at].Trim().Length == 0 || _lines[_at].TrimStart()[0] == '#'))
        {
            _at++;
        }

        return _at < _lines.Count;
    }

    private bool At(int indent) => Next() && Indent(_lines[_at]) == indent;

    private bool AtItem(int indent) => At(indent) && _lines[_at][indent..].StartsWith("- ", StringComparison.Ordinal);

    private static int Indent(string line) => line.Length - line.TrimStart(' ').Length;

    private JsonNode? Block()
    {
        if (!Next())
        {
            return null;
        }

        int indent = Indent(_lines[_at]);
        return AtItem(indent) ? Sequence(indent) : Key().IsMatch(_lines[_at]) ? Mapping(indent) : Value(_lines[_at++].Trim(), indent - 1);
    }

    private JsonArray Sequence(int indent)
    {
        var items = new JsonArray();
        while (AtItem(indent))
        {
            string rest = _lines[_at][(indent + 2)..];
            if (Key().IsMatch(rest))
            {
                // The item's first key stands beside the dash, the others below it.
                _lines[_at] = new string(' ', indent + 2) + rest;
                items.Add((JsonNode)Mapping(indent + 2));
            }
            else
            {
                _at++;
                items.Add(Value(rest, indent));
            }
        }

        return items;
    }

    private JsonObject Mapping(int indent)
    {
        var keys = new JsonObject();
        while (At(indent) && !AtItem(indent))
        {
            var match = Key().Match(_lines[_at]);
            string rest = match.Success ? match.Groups["rest"].Value : throw new FormatException($"Not a key: {_lines[_at]}");
            _at++;
            bool below = rest.Length == 0 && Next() && (Indent(_lines[_at]) > indent || AtItem(indent));
            keys.Add(match.Groups["key"].Value, below ? Block() : rest.Length == 0 ? null : Value(rest, indent));
        }

        return keys;
    }

    private JsonNode? Value(string text, int indent)
    {
        if (text is not ("|" or ">-"))
        {
            return FlowYaml.Read(text);
        }

        var lines = new List<string>();
        while (_at < _lines.Count && (_lines[_at].Trim().Length == 0 || Indent(_lines[_at]) > indent))
        {
            lines.Add(_lines[_at++].Trim());
        }

        return string.Join(text == "|" ? '\n' : ' ', lines);
    }

    [GeneratedRegex("""^ *(?<key>[^\s:"{\[]+):( +(?<rest>.*))?$""", RegexOptions.ExplicitCapture)]
    private static partial Regex Key();
}
