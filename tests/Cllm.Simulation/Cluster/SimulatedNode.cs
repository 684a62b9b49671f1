using Cllm.Protocol.Identity;

namespace Cllm.Simulation.Cluster;

/// <summary>A machine with one process on it.</summary>
internal sealed class SimulatedNode(int index, SimulatedDisk disk)
{
    private const long Million = 1_000_000;

    public int Index => index;

    /// <summary>Where its processes find and write checkpoints: its own, or one that all nodes share.</summary>
    public SimulatedDisk Disk => disk;

    /// <summary>The present process: each start is a node of its own to the cluster.</summary>
    public NodeId Id { get; set; }

    /// <summary>What the process's actors share; none while none runs.</summary>
    public SimulatedProcess? Process { get; set; }

    /// <summary>Whether the process runs.</summary>
    public bool IsUp { get; set; }

    /// <summary>Nothing happens in the process before this time.</summary>
    public long PausedUntilTicks { get; set; }

    /// <summary>How many times slower than usual it computes.</summary>
    public int Slowness { get; set; } = 1;

    public long SlowUntilTicks { get; set; }

    /// <summary>Until then it stands still for a part of each second.</summary>
    public long StuttersUntilTicks { get; set; }

    /// <summary>How much faster its clock runs, in millionths.</summary>
    public long DriftPpm { get; init; }

    /// <summary>What its clock showed when virtual time began.</summary>
    public long ClockOffsetTicks { get; set; }

    /// <summary>Effects until the process dies; below 0 when it is not about to.</summary>
    public int EffectsLeft { get; set; } = -1;

    /// <summary>Struck off by the membership while it may still run: it starts again as soon as it hears of that.</summary>
    public bool IsEvicted { get; set; }

    /// <summary>Checks in a row at which the membership could not reach it.</summary>
    public int Unreachable { get; set; }

    /// <summary>Whether the process was started with another configuration.</summary>
    public bool IsStranger { get; set; }

    /// <summary>When the process ends although it was not told that it may; none when it was not asked to end.</summary>
    public long? EndsAtTicks { get; set; }

    /// <summary>The machine that speaks for the process; none in a run of a single process.</summary>
    public NodeHost? Machine { get; set; }

    /// <summary>The shards that its processes own or owned, by number.</summary>
    public SortedDictionary<int, ShardSeat> Shards { get; } = [];

    /// <summary>The coordinator that its actors report to.</summary>
    public CoordinatorHost? Known { get; set; }

    /// <summary>What its clock shows.</summary>
    public long Clock(long nowTicks) => nowTicks + ClockOffsetTicks + (nowTicks * DriftPpm / Million);

    /// <summary>The virtual time at which its clock shows at least this.</summary>
    public long WhenClockShows(long clockTicks, long nowTicks)
    {
        var away = clockTicks - Clock(nowTicks);
        return away <= 0 ? nowTicks : nowTicks + (away * Million / (Million + DriftPpm)) + 2;
    }
}
