using System.Collections;
using System.Text.RegularExpressions;
using Cllm.Model;

namespace Cllm.Actors;

/// <summary>Keys of the configuration that are set one by one, by variables of the environment and on the command line.</summary>
/// <remarks>
/// The variable <c>CLLM__LATE_MIN</c> is <c>cllm.late-min</c> and <c>AKKA__CLUSTER__LOG_INFO</c> is <c>akka.cluster.log-info</c>: two underscores are a dot, one is a
/// hyphen. No name of a variable holds what stands in quotes, as in <c>serialization-bindings."…"</c>: such keys are for a file and for the command line.
/// </remarks>
internal static partial class HoconKeys
{
    /// <summary>The words that keys begin with: the sections of akka.hocon.</summary>
    private static readonly string[] FirstWords = ["cllm", "akka", "petabridge"];

    private static readonly string[] VariablePrefixes = [.. FirstWords.Select(word => word.ToUpperInvariant() + "__")];

    /// <summary>All variables of this process.</summary>
    public static IEnumerable<(string Name, string Value)> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => ((string)entry.Key, (string?)entry.Value ?? ""));

    /// <summary>Those that variables set, each with what sets it and the line of HOCON that does.</summary>
    public static IEnumerable<(string Name, string Key, string Text)> OfVariables(IEnumerable<(string Name, string Value)> variables) =>
        from variable in variables
        where VariablePrefixes.Any(prefix => variable.Name.StartsWith(prefix, StringComparison.Ordinal) && variable.Name.Length > prefix.Length)
        orderby variable.Name
        let key = variable.Name.ToLowerInvariant().Replace("__", ".").Replace('_', '-')
        select ($"the variable {variable.Name}", key, $"{key} = {Typed(variable.Value)}");

    /// <summary>Those that a command line gives as KEY=VALUE, each with what sets it and the line of HOCON that does.</summary>
    /// <exception cref="InputException">One is not of that form, or its key is none of the configuration's.</exception>
    public static IEnumerable<(string Name, string Key, string Text)> OfCommandLine(IEnumerable<string> given)
    {
        foreach (string text in given)
        {
            var parts = KeyAndValue().Match(text);
            string key = parts.Groups["key"].Value;
            if (!parts.Success || !FirstWords.Contains(key.Split('.')[0]))
            {
                throw new InputException($"--set is '{text}' and must be KEY=VALUE with a key of the actor configuration, for example cllm.patience=30s.");
            }

            yield return ($"--set {key}", key, $"{key} = {Typed(parts.Groups["value"].Value.Trim())}");
        }
    }

    /// <summary>Words with dots between them, those after the first perhaps in quotes, in which there may be dots and equals signs.</summary>
    [GeneratedRegex("""^\s*(?<key>[a-z]+(\.([A-Za-z0-9_-]+|"[^"\\\r\n]+"))+)\s*=(?<value>.*)$""", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex KeyAndValue();

    /// <summary>A list, an object and a text in quotes are HOCON as they stand; all else is one value, whatever signs are in it.</summary>
    private static string Typed(string value) => value.TrimStart() is ['[' or '{' or '"', ..]
        ? value
        : $"\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
}
