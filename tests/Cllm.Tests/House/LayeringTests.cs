using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Cllm.Tests.House;

public partial class LayeringTests
{
    [Theory]
    [InlineData("Cllm.Numerics")]
    [InlineData("Cllm.Protocol")]
    [InlineData("Cllm.Model", "Cllm.Numerics")]
    [InlineData("Cllm.Actors", "Cllm.Model", "Cllm.Protocol")]
    [InlineData("Cllm.Cli", "Cllm.Actors")]
    public void A_project_references_exactly_the_layers_below_it(string project, params string[] layers) =>
        Assert.Equal(layers.Order(), Repository.Items(project, "ProjectReference").Order());

    [Theory]
    [InlineData("Cllm.Numerics")]
    [InlineData("Cllm.Protocol")]
    public void The_lowest_layers_need_no_package(string project) => Assert.Empty(Repository.Items(project, "PackageReference"));

    [Theory]
    [InlineData("Cllm.Numerics")]
    [InlineData("Cllm.Protocol")]
    [InlineData("Cllm.Model")]
    public void Only_the_actors_and_what_stands_above_know_Akka(string project)
    {
        IReadOnlyList<string> packages = Repository.Items(project, "PackageReference");
        Assert.DoesNotContain(packages, package => package.StartsWith("Akka", StringComparison.Ordinal));
        Assert.DoesNotContain(Lines($"src/{project}"), line => AkkaName().IsMatch(line.Code));
    }

    /// <summary>Read from the compiled assembly, so that no alias, global using or language construct (lock, await) slips by.</summary>
    [Fact]
    public void The_protocol_touches_no_clock_thread_task_socket_file_or_random_source()
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Cllm.Protocol.dll")));
        MetadataReader metadata = file.GetMetadataReader();
        string[] forbidden =
        [
            .. metadata.TypeReferences
                .Select(metadata.GetTypeReference)
                .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}")
                .Where(name => ForbiddenInProtocol().IsMatch(name)),
        ];
        Assert.Empty(forbidden);
    }

    [Fact]
    public void The_protocol_holds_no_floating_point_number() =>
        Assert.DoesNotContain(Lines("src/Cllm.Protocol"), line => FloatingPoint().IsMatch(line.Code));

    private static IEnumerable<(string Place, string Code)> Lines(string folder) => Repository.Sources(folder).SelectMany(Repository.Code);

    [GeneratedRegex(@"\bAkka\.")]
    private static partial Regex AkkaName();

    [GeneratedRegex(@"^System\.(Threading\.|Net\.|IO\.|Diagnostics\.Stopwatch|DateTime|TimeProvider|Random|Guid$|Security\.Crypto)")]
    private static partial Regex ForbiddenInProtocol();

    [GeneratedRegex(@"\b(float|double|decimal|Half|Single|Double|MathF)\b")]
    private static partial Regex FloatingPoint();
}
