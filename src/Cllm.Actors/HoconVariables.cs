using System.Collections;
using Cllm.Model;

namespace Cllm.Actors;

/// <summary>
/// Variables of the environment that stand for keys of the configuration: <c>CLLM__LATE_MIN</c> is <c>cllm.late-min</c> and
/// <c>AKKA__CLUSTER__LOG_INFO</c> is <c>akka.cluster.log-info</c>. Two underscores are a dot, one is a hyphen.
/// </summary>
internal static class HoconVariables
{
    private static readonly string[] Prefixes = ["CLLM__", "AKKA__"];

    /// <summary>All variables of this process.</summary>
    public static IEnumerable<(string Name, string Value)> OfThisProcess() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => ((string)entry.Key, (string?)entry.Value ?? ""));

    /// <summary>Those that stand for a key, with the key and the line of HOCON that sets it.</summary>
    public static IEnumerable<(string Name, string Key, string Text)> Read(IEnumerable<(string Name, string Value)> variables) =>
        from variable in variables
        where Prefixes.Any(prefix => variable.Name.StartsWith(prefix, StringComparison.Ordinal) && variable.Name.Length > prefix.Length)
        orderby variable.Name
        let key = variable.Name.ToLowerInvariant().Replace("__", ".").Replace('_', '-')
        select ($"the variable {variable.Name}", key, $"{key} = {Typed(variable.Value)}");

    /// <summary>Those that a command line gives as KEY=VALUE.</summary>
    /// <exception cref="InputException">One is not of that form, or its key is none of the configuration's.</exception>
    public static IEnumerable<(string Name, string Key, string Text)> ReadGiven(IEnumerable<string> given)
    {
        foreach (string text in given)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string key = text[..Math.Max(equals, 0)].Trim();
            if (!IsKey(key))
            {
                throw new InputException($"--set is '{text}' and must be KEY=VALUE with a key of the actor configuration, for example cllm.patience=30s.");
            }

            yield return ($"--set {key}", key, $"{key} = {Typed(text[(equals + 1)..].Trim())}");
        }
    }

    private static bool IsKey(string key) =>
        key.Split('.') is ["cllm" or "akka", _, ..] words && words.All(word => word.Length > 0 && word.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '_'));

    /// <summary>A list, an object and a text in quotes are HOCON as they stand; all else is one value, whatever signs are in it.</summary>
    private static string Typed(string value) => value.TrimStart() is ['[' or '{' or '"', ..]
        ? value
        : $"\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
}
