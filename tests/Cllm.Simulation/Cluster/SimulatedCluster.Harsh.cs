using Cllm.Protocol;
using Cllm.Protocol.Messages;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>The harsh kinds of fault: what seldom happens to a machine, and what happens at the worst moment.</content>
internal sealed partial class SimulatedCluster
{
    private const long Tenth = Scenario.Second / 10;

    /// <summary>A process was given what others wait for: sometimes it dies of that, at once or a little later.</summary>
    public void AtTurn(SimulatedNode node)
    {
        if (IsCluster && node.Process is { } process && Strikes(FaultKind.CrashAtTurn))
        {
            After(Dice.Between(1, Dice.Chance(0.5) ? Tenth : 5 * Scenario.Second), () =>
            {
                if (node.Process == process)
                {
                    Crash(node);
                }
            });
        }
    }

    /// <summary>How much longer than usual a piece of work takes.</summary>
    public long HangTicks() => Strikes(FaultKind.Hang) ? Dice.Between(10 * Scenario.Second, 200 * Scenario.Second) : 0;

    private void StrikeHarshly(SimulatedNode node)
    {
        if (Happens(FaultKind.ClockJump))
        {
            node.ClockOffsetTicks += Dice.Between(Tenth, 300 * Scenario.Second);
        }

        if (Happens(FaultKind.LongPause))
        {
            node.PausedUntilTicks = Math.Max(node.PausedUntilTicks, NowTicks + Dice.Between(60 * Scenario.Second, 500 * Scenario.Second));
        }

        if (Happens(FaultKind.Stutter))
        {
            node.StuttersUntilTicks = NowTicks + Dice.Between(5 * Scenario.Second, 100 * Scenario.Second);
        }

        if (node.StuttersUntilTicks > NowTicks)
        {
            // Between two looks of the membership: its heartbeats are answered late, but answered.
            After(Dice.Between(1, Tenth), () => node.PausedUntilTicks = Math.Max(node.PausedUntilTicks, NowTicks + Dice.Between(Tenth, 8 * Tenth)));
        }

        if (Happens(FaultKind.Flicker))
        {
            Flicker(node, Nodes[Dice.Below(Nodes.Length)]);
        }

        if (Happens(FaultKind.Stall))
        {
            Network.Hold(node, Nodes[Dice.Below(Nodes.Length)], NowTicks + Dice.Between(Tenth, 12 * Scenario.Second));
        }

        if (Leader is { IsAlive: true } leader && leader.Node != node && Happens(FaultKind.Disconnect))
        {
            Plan(1, EventKind.Deliver, Destination.Coordinator, leader, new NodeLost(node.Id, "its connection is closed"));
        }
    }

    private void Flicker(SimulatedNode node, SimulatedNode other)
    {
        var until = NowTicks + Dice.Between(Tenth / 10, Scenario.Second);
        var isOneWay = Dice.Chance(0.5);
        if (other != node)
        {
            Network.Cut(node, other, until);
            if (!isOneWay)
            {
                Network.Cut(other, node, until);
            }
        }
    }

    private void CrashMany()
    {
        if (IsCluster && Happens(FaultKind.MassCrash))
        {
            var struck = Dice.Next();
            foreach (var node in Nodes)
            {
                if ((struck >> node.Index & 1) != 0)
                {
                    Crash(node);
                }
            }
        }
    }
}
