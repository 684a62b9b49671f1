using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Cllm.Cli.Parsing;

/// <summary>Options whose values are checked where they are read, so that a bad one gets a sentence with its name and its bounds.</summary>
public static class Values
{
    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<long?> Whole(string name, string description, long least, long most = long.MaxValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            string text = Single(result);
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
                && value >= least
                && value <= most)
            {
                return value;
            }

            string range = most == long.MaxValue ? $"of at least {least}" : $"from {least} to {most}";
            result.AddError($"{name} is '{text}' and must be a whole number {range}.");
            return null;
        },
    };

    /// <summary>
    /// A number for which <paramref name="allowed"/> holds, also when it is rounded to the 32-bit float that is computed with; <paramref name="range"/> says which
    /// ("from 0 up to, not including, 1").
    /// </summary>
    public static Option<double?> Real(string name, string description, string range, Func<double, bool> allowed) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result =>
        {
            string text = Single(result);
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || !double.IsFinite(value)
                || !allowed(value))
            {
                result.AddError($"{name} is '{text}' and must be a number {range}.");
                return null;
            }

            if (!float.IsFinite((float)value) || !allowed((float)value))
            {
                result.AddError($"{name} is '{text}' and must be a number {range} also when it is rounded to a 32-bit float: 7 digits, from 1e-45 to 3e38.");
                return null;
            }

            return value;
        },
    };

    /// <summary>One of a few words.</summary>
    public static Option<string?> Word(string name, string description, params string[] words) => new(name)
    {
        Description = description,
        HelpName = string.Join('|', words),
        CustomParser = result =>
        {
            string text = Single(result);
            if (words.Contains(text))
            {
                return text;
            }

            result.AddError($"{name} is '{text}' and must be one of {string.Join(", ", words)}.");
            return null;
        },
    };

    /// <summary>A path, or any other text.</summary>
    public static Option<string?> Text(
        string name, string placeholder, string description, bool required = false, bool mayBeEmpty = false) => new(name)
    {
        Description = description,
        HelpName = placeholder,
        Required = required,
        CustomParser = result =>
        {
            string text = Single(result);
            if (text.Length == 0 && !mayBeEmpty)
            {
                result.AddError($"{name} is empty; give a {placeholder}.");
            }

            return text;
        },
    };

    private static string Single(ArgumentResult result) => result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
}
