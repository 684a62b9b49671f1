using System.CommandLine;
using System.Globalization;
using Cllm.Cli.Parsing;

namespace Cllm.Cli.Train;

/// <summary>One option of `cllm train` that stands for one value of the plan.</summary>
public sealed class Setting
{
    private readonly Func<TrainPlan, ParseResult, TrainPlan> _apply;
    private readonly Func<TrainPlan, object> _read;

    private Setting(Option option, Func<TrainPlan, object> read, Func<TrainPlan, ParseResult, TrainPlan> apply)
    {
        Option = option;
        _read = read;
        _apply = apply;
    }

    /// <summary>The option as the parser knows it.</summary>
    public Option Option { get; }

    /// <summary>The option's name, dashes included.</summary>
    public string Name => Option.Name;

    /// <summary>Whether the user gave it.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetResult(Option) is { Implicit: false };

    /// <summary>The plan with the value that the user gave.</summary>
    public TrainPlan Apply(TrainPlan plan, ParseResult parsed) => _apply(plan, parsed);

    /// <summary>The plan's value of this setting as it would be typed.</summary>
    public string Read(TrainPlan plan) => Typed(_read(plan));

    /// <summary>A value as it would be typed.</summary>
    public static string Typed(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!.Replace("E-0", "e-");

    /// <summary>A setting that is a whole number.</summary>
    public static Setting Whole(
        string name, string description, long least, long most, Func<TrainPlan, long> read, Func<TrainPlan, long, TrainPlan> write)
    {
        Option<long?> option = Values.Whole(name, description, least, most);
        return new Setting(option, plan => read(plan), (plan, parsed) => write(plan, parsed.GetValue(option)!.Value));
    }

    /// <summary>A setting that is on where it is given, unless <c>false</c> follows it.</summary>
    public static Setting Flag(string name, string description, Func<TrainPlan, bool> read, Func<TrainPlan, bool, TrainPlan> write)
    {
        var option = new Option<bool>(name) { Description = description, Arity = ArgumentArity.ZeroOrOne };
        return new Setting(option, plan => read(plan), (plan, parsed) => write(plan, parsed.GetValue(option)));
    }

    /// <summary>A setting that is a number.</summary>
    public static Setting Real(
        string name, string description, string range, Func<double, bool> allowed,
        Func<TrainPlan, double> read, Func<TrainPlan, double, TrainPlan> write)
    {
        Option<double?> option = Values.Real(name, description, range, allowed);
        return new Setting(option, plan => read(plan), (plan, parsed) => write(plan, parsed.GetValue(option)!.Value));
    }

    /// <summary>A setting that is one of a few words.</summary>
    public static Setting Word(
        string name, string description, string[] words, Func<TrainPlan, string> read, Func<TrainPlan, string, TrainPlan> write)
    {
        Option<string?> option = Values.Word(name, description, words);
        return new Setting(option, read, (plan, parsed) => write(plan, parsed.GetValue(option)!));
    }
}
