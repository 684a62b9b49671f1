using System.Text.Json;

namespace Cllm.Model.Run;

/// <summary>Says in the user's words where two configurations differ.</summary>
public static class RunDifference
{
    private const int DigestShownLength = 12;

    // Every field of the JSON form that is not an option of the same name.
    private static readonly Dictionary<string, string> Words = new()
    {
        ["vocabulary"] = "--vocab",
        ["learning_rate"] = "--lr",
        ["minimum_learning_rate"] = "--min-lr",
        ["warmup_steps"] = "--warmup",
        ["weight_decay"] = "--weight-decay",
        ["epsilon"] = "--eps",
        ["gradient_clip"] = "--grad-clip",
        ["validation_fraction"] = "--val-fraction",
        ["evaluation_rows"] = "the number of evaluated rows (--eval-batches times --batch)",
        ["evaluate_every"] = "--eval-every",
        ["tokenizer_digest"] = "the tokenizer (its SHA-256)",
        ["data_digest"] = "the data given with --data (its SHA-256)",
        ["initial_weights_digest"] = "the model given with --init (its SHA-256)",
    };

    /// <summary>The first difference, as a piece of a sentence: "--width is 128 there and 256 here"; null when there is none.</summary>
    /// <param name="there">The run that is there.</param>
    /// <param name="here">The run that was asked for.</param>
    public static string? Describe(RunConfiguration there, RunConfiguration here)
    {
        using var thereJson = JsonDocument.Parse(RunConfigurationJson.ToBytes(there));
        using var hereJson = JsonDocument.Parse(RunConfigurationJson.ToBytes(here));
        foreach (var (a, b) in thereJson.RootElement.EnumerateObject().Zip(hereJson.RootElement.EnumerateObject()))
        {
            if (a.Value.GetRawText() != b.Value.GetRawText())
            {
                return $"{Words.GetValueOrDefault(a.Name, "--" + a.Name)} is {Shown(a)} there and {Shown(b)} here";
            }
        }

        return null;
    }

    private static string Shown(JsonProperty property)
    {
        string text = property.Value.ToString();
        return text.Length == 0 ? "none" : IsDigest(property) ? text[..Math.Min(text.Length, DigestShownLength)] + "…" : text;
    }

    private static bool IsDigest(JsonProperty property) => property.Name.EndsWith("_digest", StringComparison.Ordinal);
}
