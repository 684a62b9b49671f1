using System.Diagnostics;

namespace Cllm.Cli.Bench;

/// <summary>Times of several runs of one thing.</summary>
/// <param name="Seconds">One time per run, in ascending order.</param>
internal sealed record Timing(double[] Seconds)
{
    private const double SampleSeconds = 0.001;
    private const int Samples = 31;

    /// <summary>The fastest run.</summary>
    public double Minimum => Seconds[0];

    /// <summary>The run in the middle; of two, the faster.</summary>
    public double Median => Seconds[(Seconds.Length - 1) / 2];

    /// <summary>The slowest run.</summary>
    public double Maximum => Seconds[^1];

    /// <summary>Runs of one after another, in the order in which they happened.</summary>
    public static Timing Of(IEnumerable<double> seconds) => new([.. seconds.Order()]);

    /// <summary>Runs an action 31 times for about a millisecond each, after three runs that are not counted; the times are those of one call.</summary>
    public static Timing Of(Action action)
    {
        action();
        double once = Math.Min(Elapsed(action, 1), Elapsed(action, 1));
        int calls = (int)Math.Clamp(SampleSeconds / once, 1, 1_000_000);
        return Of(Enumerable.Range(0, Samples).Select(_ => Elapsed(action, calls) / calls).ToArray());
    }

    private static double Elapsed(Action action, int calls)
    {
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
        {
            action();
        }

        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
