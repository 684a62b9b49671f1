using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cllm.Actors.Inspection;

/// <summary>The JSON form of what is inspected: names in snake case, one object.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false)]
[JsonSerializable(typeof(RunView))]
[JsonSerializable(typeof(RunAnswer))]
public sealed partial class RunViewJson : JsonSerializerContext
{
    /// <summary>A view's JSON.</summary>
    public static string Write(RunView view) => JsonSerializer.Serialize(view, Default.RunView);

    /// <summary>The view that JSON stands for; none when it stands for none.</summary>
    public static RunView? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Default.RunView);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
