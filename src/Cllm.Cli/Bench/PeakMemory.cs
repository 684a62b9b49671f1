using System.Diagnostics;
using System.Globalization;

namespace Cllm.Cli.Bench;

/// <summary>The largest resident set of this process.</summary>
internal static class PeakMemory
{
    private const string Status = "/proc/self/status";

    /// <summary>Begins a new peak, where the system can do that; elsewhere the peak is that of the whole process.</summary>
    public static void Reset()
    {
        GC.Collect();
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // No such file, or no right to it: nothing else can begin a new peak.
        }
    }

    /// <summary>The peak in MiB.</summary>
    public static double MiB()
    {
        string? line = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        if (line is not null)
        {
            return double.Parse(line.Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }

        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64 / 1048576.0;
    }
}
