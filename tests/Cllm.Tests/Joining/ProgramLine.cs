using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cllm.Cli;

namespace Cllm.Tests.Joining;

/// <summary>The words with which a container starts the program, directly or by a shell.</summary>
internal sealed partial class ProgramLine
{
    private readonly string _text;

    public ProgramLine(params JsonNode?[] words) =>
        _text = string.Join(' ', words.OfType<JsonArray>().SelectMany(list => list).Select(word => (string?)word));

    /// <summary>The options that are none of the command that is started.</summary>
    public IEnumerable<string> Faults()
    {
        string[] commands = [.. Commands().Matches(_text).Select(match => match.Groups["command"].Value).Distinct()];
        return commands is [string command]
            ? Option().Matches(_text).Select(match => match.Value).Except(Options(command)).Select(option => $"cllm {command} has no {option}")
            : [$"not one command: '{_text}'"];
    }

    /// <summary>The value of an option; none when it is not there.</summary>
    public string? Value(string option) => Regex.Match(_text, $@"{option}[ =](?<value>[^\s""]+)") is { Success: true } match ? match.Groups["value"].Value : null;

    /// <summary>What the help lists; what else its texts speak of may be another command's.</summary>
    public static IEnumerable<string> Options(string command) => Listed().Matches(Help(command)).Select(match => match.Groups["option"].Value);

    private static string Help(string command)
    {
        var output = new StringWriter();
        CommandLine.Run([command, "--help"], output, TextWriter.Null);
        return output.ToString();
    }

    [GeneratedRegex(@"(?<![\w-])--[a-z][a-z-]*")]
    public static partial Regex Option();

    [GeneratedRegex(@"^  (-\w, )?(?<option>--[a-z][a-z0-9-]*)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Listed();

    [GeneratedRegex(@"(^|\bcllm\.dll )(?<command>[a-z]+)(?= )(?<!^(sh|bash))", RegexOptions.ExplicitCapture)]
    private static partial Regex Commands();
}
