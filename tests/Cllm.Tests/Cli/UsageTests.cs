using System.CommandLine.Parsing;
using Cllm.Cli;
using Cllm.Cli.Display;
using Cllm.Cli.Parsing;
using Cllm.Model;

namespace Cllm.Tests.Cli;

public class UsageTests
{
    private static readonly string[] Names = ["train", "node", "certificate", "eval", "generate", "digest", "bench"];

    public static TheoryData<string> Commands => [.. Names];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_shows_help_with_examples(string command)
    {
        Said said = Said.By(command, "--help");
        Assert.Equal(ExitCode.Success, said.Code);
        Assert.Equal("", said.Error);
        Assert.Contains($"cllm {command}", said.Output);
        Assert.Contains("Examples:", said.Output);
        Assert.Contains(Examples.Of(command)[0].Line, said.Output);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_shows_the_version(string command)
    {
        Said said = Said.By(command, "--version");
        Assert.Equal(ExitCode.Success, said.Code);
        Assert.Equal($"cllm {CommandLine.Version}", said.Output.TrimEnd());
        Assert.Matches(@"^\d+\.\d+\.\d+", CommandLine.Version);
    }

    [Fact]
    public void The_program_lists_its_commands()
    {
        Said said = Said.By("--help");
        Assert.Equal(ExitCode.Success, said.Code);
        foreach (string command in Names)
        {
            Assert.Contains($"  {command} ", said.Output);
        }
    }

    [Fact]
    public void No_command_is_wrong_usage()
    {
        Said said = Said.By();
        Assert.Equal(ExitCode.Usage, said.Code);
        Assert.Contains("cllm train", said.IsOneSentence());
        Assert.Contains("Commands:", said.Output);
    }

    [Theory]
    [InlineData("--layrs is not an option of `cllm train`; did you mean --layers?", "train", "--layrs", "3")]
    [InlineData("--frobnicate is not an option of `cllm train`; see `cllm train --help`.", "train", "--frobnicate")]
    [InlineData("'trian' is not a command of cllm; did you mean train?", "trian")]
    [InlineData("'more' stands alone and belongs to no option; see `cllm train --help`.", "train", "more")]
    [InlineData("--steps needs a value; see `cllm train --help`.", "train", "--steps")]
    [InlineData("--steps is given 2 times; give it once.", "train", "--steps", "3", "--steps", "4")]
    [InlineData("--model is needed; see `cllm eval --help`.", "eval", "--data", "x.txt")]
    [InlineData("--data is needed; see `cllm eval --help`.", "eval", "--model", "x")]
    [InlineData("--model is needed; see `cllm generate --help`.", "generate")]
    [InlineData("DIR is needed; see `cllm digest --help`.", "digest")]
    [InlineData("--data is empty; give a PATH.", "train", "--data", "")]
    [InlineData("A node of the run is needed: give one with --join HOST:PORT, or some as akka.cluster.seed-nodes in the actor configuration.", "node")]
    [InlineData("--out is needed; see `cllm certificate --help`.", "certificate")]
    [InlineData("--preset is 'gpt5' and must be one of seed, shakespeare-cpu, shakespeare, gpt2-124m.", "train", "--preset", "gpt5")]
    [InlineData("--tokenizer is 'word' and must be one of byte, char, bpe.", "train", "--tokenizer", "word")]
    public void Wrong_usage_gets_its_sentence(string sentence, params string[] args) => Assert.Equal(sentence, Said.By(args).IsRefused());

    [Theory]
    [InlineData("--steps", "0")]
    [InlineData("--steps", "-5")]
    [InlineData("--steps", "many")]
    [InlineData("--steps", "1.5")]
    [InlineData("--steps", "99999999999999999999999")]
    [InlineData("--layers", "0")]
    [InlineData("--width", "-128")]
    [InlineData("--block", "0")]
    [InlineData("--batch", "0")]
    [InlineData("--vocab", "65537")]
    [InlineData("--workers", "0")]
    [InlineData("--threads-per-worker", "0")]
    [InlineData("--leaves", "0")]
    [InlineData("--seed", "-1")]
    [InlineData("--val-fraction", "1")]
    [InlineData("--val-fraction", "-0.1")]
    [InlineData("--lr", "0")]
    [InlineData("--lr", "NaN")]
    [InlineData("--lr", "1e999")]
    [InlineData("--lr", "1e39")]
    [InlineData("--lr", "1e-60")]
    [InlineData("--min-lr", "1e300")]
    [InlineData("--weight-decay", "1e39")]
    [InlineData("--grad-clip", "1e39")]
    [InlineData("--beta1", "0.9999999999")]
    [InlineData("--beta2", "0.9999999999")]
    [InlineData("--dropout", "0.9999999999")]
    [InlineData("--eps", "1e-60")]
    [InlineData("--min-lr", "-1")]
    [InlineData("--beta1", "1")]
    [InlineData("--beta2", "-0.5")]
    [InlineData("--eps", "0")]
    [InlineData("--dropout", "1")]
    [InlineData("--weight-decay", "-1")]
    [InlineData("--grad-clip", "-1")]
    [InlineData("--order", "random")]
    public void A_value_out_of_bounds_is_refused_by_name(string option, string value)
    {
        string sentence = Said.By("train", option, value).IsRefused();
        Assert.StartsWith($"{option} is '{value}' and must be ", sentence);
    }

    [Fact]
    public void A_comma_is_no_decimal_point() =>
        Assert.Equal("--lr is '0,001' and must be a number above 0.", Said.By("train", "--lr", "0,001").IsRefused());

    [Fact]
    public void A_number_that_is_in_bounds_only_before_it_is_rounded_is_told_so() => Assert.Equal(
        "--beta2 is '0.9999999999' and must be a number from 0 up to, not including, 1 also when it is rounded to a 32-bit float: 7 digits, from 1e-45 to 3e38.",
        Said.By("train", "--beta2", "0.9999999999").IsRefused());

    [Fact]
    public void An_unexpected_failure_prints_one_sentence_and_no_trace()
    {
        var error = new StringWriter();
        int code = CommandLine.Report(new InvalidOperationException("line one\nline two"), Terminal.Plain(new StringWriter(), error));
        Assert.Equal(ExitCode.Failure, code);
        Assert.Equal(
            "cllm: This is a bug in cllm: InvalidOperationException: line one line two. Set CLLM_TRACE=1 to see where.",
            error.ToString().TrimEnd());
    }

    [Fact]
    public void A_users_fault_inside_a_task_still_gets_its_own_sentence()
    {
        var error = new StringWriter();
        var failure = new AggregateException(new InputException("The file is empty."));
        int code = CommandLine.Report(failure, Terminal.Plain(new StringWriter(), error));
        Assert.Equal(ExitCode.Usage, code);
        Assert.Equal("cllm: The file is empty.", error.ToString().TrimEnd());
    }

    [Fact]
    public void Every_example_is_a_line_that_the_parser_takes()
    {
        string[] commands = ["", .. Names];
        foreach (string line in commands.SelectMany(Examples.Of).Select(example => example.Line))
        {
            string[] words = [.. CommandLineParser.SplitCommandLine(line).Skip(1)];
            Assert.Empty(CommandLine.Check(words));
        }
    }
}
