using System.Xml.Linq;

namespace Cllm.Tests.House;

/// <summary>The checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The C# files under a folder, without what a build wrote.</summary>
    public static IReadOnlyList<string> Sources(string folder)
    {
        char slash = Path.DirectorySeparatorChar;
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{slash}obj{slash}") && !path.Contains($"{slash}bin{slash}"))];
        Assert.NotEmpty(files);
        return files;
    }

    /// <summary>A file's lines as "path:number: text" without line comments.</summary>
    public static IEnumerable<(string Place, string Code)> Code(string path) => File.ReadLines(path)
        .Select((line, index) => ($"{Path.GetRelativePath(Root, path)}:{index + 1}", line.Split("//")[0]));

    /// <summary>What a project file includes as items of one kind: names without folders and endings.</summary>
    public static IReadOnlyList<string> Items(string project, string kind) =>
        [.. XDocument.Load(Path.Combine(Root, "src", project, $"{project}.csproj"))
            .Descendants(kind)
            .Select(item => item.Attribute("Include")!.Value)
            .Select(include => kind == "ProjectReference" ? Path.GetFileNameWithoutExtension(include) : include)];

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Cllm.Actors.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("These tests must lie inside the repository to look at it.");
    }
}
