using Cllm.Tests.House;

namespace Cllm.Tests.Joining;

/// <summary>The texts below deploy/.</summary>
internal static class DeployedText
{
    public static string Read(string way, string name) => File.ReadAllText(Path.Combine(Repository.Root, "deploy", way, name));

    /// <summary>The text with something else at the first place where something is found.</summary>
    public static string With(this string text, string found, string instead)
    {
        int at = text.IndexOf(found, StringComparison.Ordinal);
        Assert.True(at >= 0, $"'{found}' is not there");
        return text[..at] + instead + text[(at + found.Length)..];
    }
}
