using System.Text.RegularExpressions;

namespace Cllm.Tests.House;

public partial class FileTests
{
    private const int LinesMax = 500;

    [Fact]
    public void No_source_file_is_longer_than_five_hundred_lines()
    {
        IEnumerable<string> tooLong = Repository.Sources("src").Concat(Repository.Sources("tests"))
            .Where(path => File.ReadLines(path).Count() > LinesMax)
            .Select(path => Path.GetRelativePath(Repository.Root, path));
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Nothing_in_the_sources_is_left_for_later()
    {
        IEnumerable<string> places = Repository.Sources("src")
            .SelectMany(path => File.ReadLines(path).Where(line => Unfinished().IsMatch(line)).Select(line => $"{path}: {line}"));
        Assert.Empty(places);
    }

    [Fact]
    public void Only_a_test_moves_time()
    {
        IEnumerable<string> places = Repository.Sources("tests")
            .SelectMany(Repository.Code)
            .Where(line => Sleep().IsMatch(line.Code))
            .Select(line => line.Place);
        Assert.Empty(places);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("CHANGELOG.md")]
    [InlineData("LICENSE")]
    [InlineData("Cllm.Actors.sln")]
    [InlineData("akka.hocon")]
    [InlineData(".editorconfig")]
    public void What_a_visitor_looks_for_is_there(string name) => Assert.True(new FileInfo(Path.Combine(Repository.Root, name)).Length > 0);

    [Theory]
    [InlineData("cllm")]
    [InlineData("test")]
    [InlineData("simulate")]
    [InlineData("fuzz")]
    [InlineData(".ci/run")]
    public void A_script_can_be_run(string name)
    {
        string path = Path.Combine(Repository.Root, name);
        Assert.StartsWith("#!/", File.ReadLines(path).First());
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Everyone = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            Assert.True(File.GetUnixFileMode(path).HasFlag(Everyone));
        }
    }

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK|NotImplementedException)\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bThread\.Sleep\b|\bTask\.Delay\b")]
    private static partial Regex Sleep();
}
