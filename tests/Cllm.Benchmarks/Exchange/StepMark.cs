using System.Diagnostics;
using System.Globalization;

namespace Cllm.Benchmarks.Exchange;

/// <summary>What one process saw of a step. Times are the machine's own, so those of two processes can be compared.</summary>
/// <param name="Step">The step.</param>
/// <param name="Ready">When all its weights were there and its leaf could begin.</param>
/// <param name="ReadyProcessor">Processor seconds of the process until then.</param>
/// <param name="Answered">When its leaf was done.</param>
/// <param name="AnsweredProcessor">Processor seconds of the process until then.</param>
/// <param name="Fetched">Bytes that the process had fetched by then.</param>
internal readonly record struct StepMark(long Step, long Ready, double ReadyProcessor, long Answered, double AnsweredProcessor, long Fetched)
{
    /// <summary>Processor seconds of this process so far.</summary>
    public static double Processor => Environment.CpuUsage.TotalTime.TotalSeconds;

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static StepMark Parse(string line)
    {
        var words = line.Split(' ');
        return new(Whole(words[0]), Whole(words[1]), Number(words[2]), Whole(words[3]), Number(words[4]), Whole(words[5]));
    }

    /// <summary>Seconds from the last leaf of a step to the last weights of the next.</summary>
    public static double Seconds(StepMark[] step, StepMark[] next) =>
        Stopwatch.GetElapsedTime(step.Max(mark => mark.Answered), next.Max(mark => mark.Ready)).TotalSeconds;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Step} {Ready} {ReadyProcessor:R} {Answered} {AnsweredProcessor:R} {Fetched}");

    private static long Whole(string word) => long.Parse(word, CultureInfo.InvariantCulture);

    private static double Number(string word) => double.Parse(word, CultureInfo.InvariantCulture);
}
