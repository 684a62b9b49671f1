using System.Reflection;

namespace Cllm.Model.Run;

/// <summary>Which program writes the files of a run; for people who look at them later.</summary>
public static class ProgramVersion
{
    /// <summary>This program's version, such as 0.1.0.</summary>
    public static string Program { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The version of .NET it runs on, such as 10.0.1.</summary>
    public static string Dotnet { get; } = Environment.Version.ToString();
}
