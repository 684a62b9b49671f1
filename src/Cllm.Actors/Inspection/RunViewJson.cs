using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cllm.Actors.Inspection;

/// <summary>The JSON form of what is inspected: names in snake case, one object.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false)]
[JsonSerializable(typeof(RunView))]
[JsonSerializable(typeof(RunWorker[]))]
public sealed partial class RunViewJson : JsonSerializerContext
{
    /// <summary>A view's JSON.</summary>
    public static string Write(RunView view) => JsonSerializer.Serialize(view, Default.RunView);

    /// <summary>The JSON of a view's workers, an array.</summary>
    /// <param name="view">The view.</param>
    /// <param name="node">Of this node alone; of all when it is none.</param>
    public static string WriteWorkers(RunView view, int? node) =>
        JsonSerializer.Serialize([.. view.Workers.Where(worker => node is null || worker.Node == node)], Default.RunWorkerArray);

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
