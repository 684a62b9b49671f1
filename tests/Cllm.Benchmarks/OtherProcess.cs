using System.Diagnostics;

namespace Cllm.Benchmarks;

/// <summary>What benchmarks of two processes share: how the second is started, and numbers among the arguments.</summary>
internal static class OtherProcess
{
    /// <summary>Starts this program once more; its input is the caller's to close and its output the caller's to read.</summary>
    public static Process Start(params string[] order)
    {
        // Under `dotnet run` this process is the program itself; under `dotnet Cllm.Benchmarks.dll` it is the host, which is told the program.
        var path = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(path) == "dotnet" ? [typeof(OtherProcess).Assembly.Location] : [];
        return Process.Start(new ProcessStartInfo(path, [.. program, .. order])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>The number behind a name.</summary>
    public static int Option(string[] arguments, string name, int otherwise) =>
        Array.IndexOf(arguments, name) is >= 0 and var at && at + 1 < arguments.Length ? int.Parse(arguments[at + 1]) : otherwise;

    /// <summary>The middle one, the upper of two.</summary>
    public static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;
}
