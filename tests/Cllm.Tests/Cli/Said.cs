using System.CommandLine;
using Cllm.Cli;
using Cllm.Cli.Train;

namespace Cllm.Tests.Cli;

/// <summary>Runs the command line inside the test process, or only its parser.</summary>
internal sealed record Said(int Code, string Output, string Error)
{
    /// <summary>Runs a whole command.</summary>
    public static Said By(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = CommandLine.Run(args, output, error);
        return new Said(code, output.ToString(), error.ToString());
    }

    /// <summary>The request that a `cllm train` line makes, without carrying it out.</summary>
    public static TrainRequest Train(params string[] args)
    {
        TrainRequest? request = null;
        Command train = TrainCommand.Create(made =>
        {
            request = made;
            return 0;
        });
        ParseResult parsed = train.Parse(args);
        Assert.Empty(parsed.Errors);
        Assert.Equal(0, parsed.Invoke());
        return request!;
    }

    /// <summary>The plan of a new run with these options.</summary>
    public static TrainPlan Plan(params string[] args)
    {
        TrainRequest request = Train(args);
        return request.Settings.Resolve(request);
    }

    /// <summary>Asserts that the command was refused with exactly one sentence on the error stream and nothing on the other.</summary>
    public string IsRefused()
    {
        Assert.Equal(ExitCode.Usage, Code);
        Assert.Equal("", Output);
        return IsOneSentence();
    }

    /// <summary>Asserts that the error stream holds exactly one sentence.</summary>
    public string IsOneSentence()
    {
        Assert.StartsWith("cllm: ", Error);
        string sentence = Error["cllm: ".Length..].TrimEnd();
        Assert.DoesNotContain("\n", sentence);
        Assert.DoesNotContain("   at ", sentence);
        Assert.Matches(@"[.?]$", sentence);
        return sentence;
    }
}
