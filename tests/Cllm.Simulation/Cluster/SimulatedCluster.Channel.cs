using Akka.Actor;
using Cllm.Simulation.Channel;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>What is between processes beside the machines' messages: the tensor channel, and what the program's own classes tell each other.</content>
internal sealed partial class SimulatedCluster : IChannelWorld
{
    private const long SilenceTicks = 10 * Scenario.Second;
    private const long SlowPassageTicksMax = 40 * Scenario.Second;

    /// <summary>The channel; its nodes have the numbers of their machines.</summary>
    public SimulatedChannel Channel { get; }

    public void After(long ticks, Action then) => Plan(ticks, EventKind.Channel, default, null, then);

    public long? Passage(int from, int to)
    {
        var (left, right) = (Nodes[from], Nodes[to]);
        if (!Network.Reaches(left, right))
        {
            return null;
        }

        // Who stands still sends and takes nothing; the connection holds.
        var paused = Math.Max(left.PausedUntilTicks, right.PausedUntilTicks) - NowTicks;
        if (paused > SilenceTicks && Strikes(FaultKind.SilentPeer))
        {
            return null;
        }

        return Network.Held(left, right, Math.Max(0, paused)) + Dice.Between(1, Strikes(FaultKind.SlowTransfer) ? SlowPassageTicksMax : Scenario.LinkTicksMax / 2);
    }

    public int ChunkBytesMax => Scenario.ChunkBytesMax;

    public bool Breaks() => Strikes(FaultKind.BrokenTransfer);

    /// <summary>Has something done in a process as soon as it does not stand still, unless the process is over by then.</summary>
    public void In(SimulatedNode node, long ticks, Action then)
    {
        var process = node.Process;
        After(ticks, () =>
        {
            if (node.Process != process || process is null)
            {
                return;
            }

            if (node.PausedUntilTicks > NowTicks)
            {
                In(node, node.PausedUntilTicks - NowTicks, then);
            }
            else
            {
                then();
            }
        });
    }

    /// <summary>Tells an actor something: at once and in order within a process, by way of the network else.</summary>
    public void Tell(SimulatedRef to, object message, IActorRef sender)
    {
        var told = new Told(message, sender);
        if (sender is SimulatedRef { Node: var from } && from != to.Node)
        {
            // Lost it may be; but between two processes Akka.NET doubles nothing, and nothing overtakes by seconds.
            if (Network.Delays(from, to.Node).First is { } delay)
            {
                Plan(Network.Held(from, to.Node, Math.Min(delay, Scenario.LinkTicksMax / 2)), EventKind.Deliver, to.Address, to.Place, told);
            }
        }
        else
        {
            Plan(1, EventKind.Deliver, to.Address, to.Place, told);
        }
    }

    /// <summary>Reaches the process of a path, if it is there yet.</summary>
    public ICanTell RefOf(string path) => Array.Find(Nodes, node => node.Machine?.Ref.Name == path)?.Machine!.Ref ?? (ICanTell)ActorRefs.Nobody;
}
