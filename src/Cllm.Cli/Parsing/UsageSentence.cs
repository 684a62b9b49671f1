using System.CommandLine;
using System.CommandLine.Parsing;

namespace Cllm.Cli.Parsing;

/// <summary>Turns what the parser found wrong into one sentence that says what to do.</summary>
public static class UsageSentence
{
    /// <summary>The sentence for the first fault of a command line that has one.</summary>
    public static string For(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = command is RootCommand ? "`cllm --help`" : $"`cllm {command.Name} --help`";
        if (parsed.UnmatchedTokens.Count > 0)
        {
            return Unmatched(parsed.UnmatchedTokens[0], command, help);
        }

        ParseError error = parsed.Errors[0];
        return error.SymbolResult switch
        {
            OptionResult { IdentifierTokenCount: > 1 } twice =>
                $"{twice.Option.Name} is given {twice.IdentifierTokenCount} times; give it once.",
            OptionResult { Tokens.Count: 0, Implicit: false } bare => $"{bare.Option.Name} needs a value; see {help}.",
            OptionResult { Implicit: true } absent => $"{absent.Option.Name} is needed; see {help}.",
            CommandResult or ArgumentResult => Missing(parsed, command, help) ?? error.Message,
            _ => error.Message,
        };
    }

    private static string? Missing(ParseResult parsed, Command command, string help)
    {
        foreach (Option option in command.Options)
        {
            if (option.Required && parsed.GetResult(option) is null or { Implicit: true })
            {
                return $"{option.Name} is needed; see {help}.";
            }
        }

        foreach (Argument argument in command.Arguments)
        {
            if (argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 })
            {
                return $"{argument.HelpName ?? argument.Name} is needed; see {help}.";
            }
        }

        return null;
    }

    private static string Unmatched(string token, Command command, string help)
    {
        bool option = token.StartsWith('-');
        if (!option && command is not RootCommand)
        {
            return $"'{token}' stands alone and belongs to no option; see {help}.";
        }

        string name = token.Split('=')[0];
        IEnumerable<string> known = option
            ? command.Options.Select(o => o.Name).Append("--help").Append("--version")
            : command.Subcommands.Select(c => c.Name);
        string? near = known.Select(word => (word, distance: Distance(name, word)))
            .Where(candidate => candidate.distance <= 1 + name.Length / 5)
            .OrderBy(candidate => candidate.distance)
            .Select(candidate => candidate.word)
            .FirstOrDefault();
        string hint = near is null ? $"see {help}." : $"did you mean {near}?";
        return option
            ? $"{name} is not an option of `cllm{(command is RootCommand ? "" : " " + command.Name)}`; {hint}"
            : $"'{name}' is not a command of cllm; {hint}";
    }

    /// <summary>Levenshtein's distance: insertions, deletions and exchanges that turn one word into the other.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int exchange = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(exchange, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
