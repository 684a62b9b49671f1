using Cllm.Model;
using Cllm.Model.Run;

namespace Cllm.Cli.Train;

/// <summary>Which folder a run lives in when --out does not say.</summary>
public static class RunLocation
{
    private const string Runs = "runs";
    private const string BuiltIn = "stories";

    /// <summary>
    /// The folder of a new run: --out, or one with the preset's or the data's name and, if need be, the next free number.
    /// </summary>
    /// <param name="request">What the user asked.</param>
    /// <param name="runs">The folder of runs.</param>
    public static string OfNew(TrainRequest request, string runs = Runs)
    {
        if (request.OutPath is not null)
        {
            return request.OutPath;
        }

        string name = Path.Combine(runs, request.Preset ?? NameOf(request.DataPath));
        string free = name;
        for (int number = 2; Path.Exists(free); number++)
        {
            free = $"{name}-{number}";
        }

        return free;
    }

    /// <summary>The folder of the run to go on with: --out, or the one that was active last.</summary>
    /// <param name="request">What the user asked.</param>
    /// <param name="runs">The folder of runs.</param>
    /// <exception cref="InputException">There is no run.</exception>
    public static string OfResumed(TrainRequest request, string runs = Runs)
    {
        if (request.OutPath is not null)
        {
            return request.OutPath;
        }

        string[] all = Directory.Exists(runs) ? Directory.GetDirectories(runs) : [];
        string? newest = all.Where(RunFolder.Holds).OrderByDescending(LastActive).ThenBy(path => path).FirstOrDefault();
        return newest ?? throw new InputException($"There is no run under {Path.GetFullPath(runs)} to resume; name its folder with --out.");
    }

    private static string NameOf(string? dataPath)
    {
        if (dataPath is null)
        {
            return BuiltIn;
        }

        string name = Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataPath)));
        return name.Length == 0 ? BuiltIn : name;
    }

    private static DateTime LastActive(string run) =>
        new[] { RunFolder.DescriptionName, "metrics.jsonl" }.Select(name => File.GetLastWriteTimeUtc(Path.Combine(run, name))).Max();
}
