using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cllm.Tests.Joining;

/// <summary>The documents of a YAML text; all values are texts. A key that is there twice is an error, and so is what YAML allows and would be a slip in deploy/.</summary>
internal static partial class Yaml
{
    public static JsonNode[] Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => Json(document.RootNode))];
    }

    private static JsonNode Json(YamlNode node) => node switch
    {
        { Tag.IsEmpty: false } or { Anchor.IsEmpty: false } => throw Slip(node, "a tag or an anchor"),
        YamlMappingNode keys => new JsonObject(keys.Select(key => KeyValuePair.Create(Name(key.Key), (JsonNode?)Json(key.Value)))),
        YamlSequenceNode items => new JsonArray([.. items.Select(Json)]),
        YamlScalarNode { Value.Length: > 0 } text when text.Start.Line == text.End.Line || text.Style is ScalarStyle.Literal or ScalarStyle.Folded => text.Value,
        _ => throw Slip(node, "no value, or one that goes on in the next line"),
    };

    private static string Name(YamlNode key) => Json(key).ToString() is var name && Names().IsMatch(name) ? name : throw Slip(key, "no name");

    private static YamlException Slip(YamlNode node, string what) => new(node.Start, node.End, $"{what}: '{node}'");

    [GeneratedRegex(@"^[\w./-]+$")]
    private static partial Regex Names();
}
