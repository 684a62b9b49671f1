using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>The links between nodes: within a process nothing is lost, between two anything may be lost, doubled, late or cut off, in each direction by itself.</summary>
internal sealed class SimulatedNetwork(SimulatedCluster cluster)
{
    private const long LocalTicksMax = Scenario.Second / 10_000;

    private readonly long[] _cutUntil = new long[cluster.Scenario.Nodes * cluster.Scenario.Nodes];
    private readonly long[] _heldUntil = new long[cluster.Scenario.Nodes * cluster.Scenario.Nodes];
    private readonly long _ticksMax = cluster.Scenario.LinkTicksMax;
    private readonly double _loss = cluster.Scenario.Rate(FaultKind.Loss);
    private readonly double _duplication = cluster.Scenario.Rate(FaultKind.Duplication);
    private readonly double _delay = cluster.Scenario.Rate(FaultKind.Delay);

    /// <summary>Whether messages pass both ways.</summary>
    public bool Reaches(SimulatedNode left, SimulatedNode right) => Passes(left, right) && Passes(right, left);

    /// <summary>How long after now a message arrives; none when it does not. A second copy may arrive as well.</summary>
    public (long? First, long? Second) Delays(SimulatedNode from, SimulatedNode to)
    {
        var dice = cluster.Dice;
        if (from == to)
        {
            return (dice.Between(1, LocalTicksMax), null);
        }

        if (!Passes(from, to) || (cluster.IsFaulty && dice.Chance(_loss)))
        {
            cluster.Count(FaultKind.Loss);
            return (null, null);
        }

        var first = dice.Between(_ticksMax / 10, _ticksMax);
        if (!cluster.IsFaulty)
        {
            return (first, null);
        }

        if (dice.Chance(_delay))
        {
            cluster.Count(FaultKind.Delay);
            first += dice.Between(0, dice.Chance(0.1) ? 100 * Scenario.Second : 3 * Scenario.Second);
        }

        if (dice.Chance(_duplication))
        {
            cluster.Count(FaultKind.Duplication);
            return (first, first + dice.Between(0, 5 * Scenario.Second));
        }

        return (first, null);
    }

    /// <summary>Cuts a direction for a while.</summary>
    public void Cut(SimulatedNode from, SimulatedNode to, long untilTicks) => _cutUntil[(from.Index * cluster.Scenario.Nodes) + to.Index] = untilTicks;

    /// <summary>A direction holds what is sent for a while.</summary>
    public void Hold(SimulatedNode from, SimulatedNode to, long untilTicks) => _heldUntil[(from.Index * cluster.Scenario.Nodes) + to.Index] = untilTicks;

    /// <summary>How long what would take so long takes on a link that may hold it.</summary>
    public long Held(SimulatedNode from, SimulatedNode to, long ticks) =>
        Math.Max(ticks, _heldUntil[(from.Index * cluster.Scenario.Nodes) + to.Index] - cluster.NowTicks);

    /// <summary>All links are whole again.</summary>
    public void Heal()
    {
        _cutUntil.AsSpan().Clear();
        _heldUntil.AsSpan().Clear();
    }

    private bool Passes(SimulatedNode from, SimulatedNode to) =>
        _cutUntil[(from.Index * cluster.Scenario.Nodes) + to.Index] <= cluster.NowTicks;
}
