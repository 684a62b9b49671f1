namespace Cllm.Cli.Display;

/// <summary>Numbers as people read them.</summary>
public static class Format
{
    /// <summary>A count with separators: 12,345.</summary>
    public static string Count(double value) => value.ToString("N0");

    /// <summary>A loss in nats, or any other number near 1.</summary>
    public static string Loss(double value) => value.ToString("F4");

    /// <summary>A duration with the two units that matter: 4.2 s, 2 min 05 s, 3 h 20 min, 2 d 4 h.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 10 => $"{time.TotalSeconds:F1} s",
        < 60 => $"{time.TotalSeconds:F0} s",
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds:D2} s",
        < 86400 => $"{(int)time.TotalHours} h {time.Minutes:D2} min",
        _ => $"{(int)time.TotalDays} d {time.Hours} h",
    };

    /// <summary>An amount of memory: 640 MB, 12.4 GB.</summary>
    public static string Bytes(long bytes) => bytes < 1_000_000_000 ? $"{bytes / 1e6:F0} MB" : $"{bytes / 1e9:F1} GB";

    /// <summary>A number of things: 1 worker, 2 workers.</summary>
    public static string Plural(long count, string thing) => count == 1 ? $"1 {thing}" : $"{count} {thing}s";

    /// <summary>A path as a shell takes it: quoted when it holds anything but plain characters.</summary>
    public static string Shell(string path) =>
        path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '~')
            ? path
            : "'" + path.Replace("'", "'\\''") + "'";
}
