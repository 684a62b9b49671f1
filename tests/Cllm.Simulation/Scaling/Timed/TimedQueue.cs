using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>Virtual time, and what will happen in it.</summary>
internal sealed class TimedQueue
{
    private readonly EventQueue _events = new();

    /// <summary>The time, in units of 100 nanoseconds.</summary>
    public long NowTicks { get; private set; }

    /// <summary>Plans something for a time, which is not before now.</summary>
    public void At(long ticks, Action happens) => _events.Add(ticks, EventKind.WorkDone, default, happens, null);

    /// <summary>Lets the next thing happen.</summary>
    public void Step()
    {
        var next = _events.Take();
        NowTicks = next.AtTicks;
        ((Action)next.Host!)();
    }
}
