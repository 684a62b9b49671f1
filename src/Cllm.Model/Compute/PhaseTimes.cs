using System.Diagnostics;

namespace Cllm.Model.Compute;

/// <summary>
/// Where one worker or shard has spent its time so far. Always on: two readings of the clock per phase, about 50 ns, nothing is allocated.
/// Written by the thread that computes; any thread may read.
/// </summary>
public sealed class PhaseTimes
{
    private readonly long[] _ticks = new long[Enum.GetValues<Phase>().Length];

    /// <summary>Time in a phase since the beginning.</summary>
    public TimeSpan this[Phase phase] => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _ticks[(int)phase]));

    /// <summary>Ends a phase that began at a reading of <see cref="Stopwatch.GetTimestamp"/>.</summary>
    /// <returns>The reading at the end, at which the next phase may begin.</returns>
    internal long End(Phase phase, long began)
    {
        long now = Stopwatch.GetTimestamp();
        Volatile.Write(ref _ticks[(int)phase], _ticks[(int)phase] + now - began);
        return now;
    }
}

/// <summary>A part of a step.</summary>
public enum Phase
{
    /// <summary>Activations.</summary>
    Forward,

    /// <summary>Loss and gradients.</summary>
    Backward,

    /// <summary>Addition of gradients over the tree, and their norm.</summary>
    Reduce,

    /// <summary>The update of weights and moments.</summary>
    AdamW,
}
