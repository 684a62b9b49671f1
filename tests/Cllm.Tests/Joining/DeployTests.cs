using System.Text.RegularExpressions;
using Cllm.Actors;
using Cllm.Tests.House;

namespace Cllm.Tests.Joining;

/// <summary>What deploy/ starts are lines that the program takes, and what it sets are keys that there are.</summary>
public sealed partial class DeployTests
{
    private static readonly string[] Everything =
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "deploy"), "*", SearchOption.AllDirectories),
    ];

    [Fact]
    public void Every_option_that_is_given_somewhere_is_an_option_of_the_program()
    {
        string[] known =
        [
            .. new[] { "train", "node", "certificate", "status" }.SelectMany(ProgramLine.Options),
        ];
        var options = from path in Everything
                      from line in File.ReadLines(path)
                      where Program().IsMatch(line) || path.EndsWith(".yaml", StringComparison.Ordinal) || path.EndsWith(".env", StringComparison.Ordinal)
                      let ours = ForOthers().Replace(line, "")
                      from match in ProgramLine.Option().Matches(ours)
                      select match.Value;
        Assert.Empty(options.Distinct().Except(known));
    }

    [Fact]
    public void Every_key_that_is_set_somewhere_is_a_key_of_the_configuration()
    {
        (string, string)[] set = [.. Everything.SelectMany(File.ReadLines).SelectMany(line => Variable().Matches(line)).Select(match => (match.Value, "1")).Distinct()];
        Assert.NotEmpty(set);
        Hocon.Load(null, set);
    }

    [Theory]
    [InlineData("systemd")]
    [InlineData("container")]
    [InlineData("kubernetes")]
    public void Every_way_has_its_page(string way)
    {
        string page = DeployedText.Read(way, "README.md");
        Assert.All(new[] { "## What to run", "## What to see", "## How to scale", "## How to upgrade while training" }, part => Assert.Contains(part, page));
    }

    [Fact]
    public void Units_name_no_file_that_publishing_does_not_put_there()
    {
        var named = Everything.Where(path => path.EndsWith(".service", StringComparison.Ordinal)).SelectMany(File.ReadLines)
            .SelectMany(line => Published().Matches(line)).Select(match => match.Value);
        Assert.Equal(["/opt/cllm/cllm"], named.Distinct());
    }

    [GeneratedRegex(@"\bcllm(\.dll)? (train|node|certificate|status)\b")]
    private static partial Regex Program();

    /// <summary>Options of docker, kubectl and the like, up to where ours begin, and comments.</summary>
    [GeneratedRegex(@"^\s*#.*|.*\b(docker|kubectl)\b(.*?cllm\.dll|.*)")]
    private static partial Regex ForOthers();

    [GeneratedRegex(@"/opt/cllm/[^\s;']*")]
    private static partial Regex Published();

    [GeneratedRegex(@"\b(CLLM|AKKA|PETABRIDGE)__[A-Z_]+")]
    private static partial Regex Variable();
}
