using Cllm.Model.Shape;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Tree;
using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>
/// A run of many nodes without faults, in virtual time: the machines of Cllm.Protocol decide what is sent, leased, ordered and copied, and what their hosts do
/// takes the times that <see cref="ScalingModel"/> states. Nothing here knows how long a step should take.
/// </summary>
internal sealed class TimedCluster
{
    private const double TicksPerSecond = 1e7;

    /// <summary>Blocks of as many bytes as there are of gradients; the time of one is how exact the network is. At gpt2-124m they are as large as the channel's chunks.</summary>
    private const int BlocksPerVector = 2000;

    private readonly Dice _dice;
    private readonly IReadOnlyList<ParameterRange> _ranges;
    private readonly TimedNetwork _network;
    private readonly int[] _order;

    /// <param name="rates">The stated times.</param>
    /// <param name="nodes">Nodes.</param>
    /// <param name="seed">Which workers and leaves are a little slower than others.</param>
    public TimedCluster(ScalingModel rates, int nodes, ulong seed)
    {
        (Rates, _dice) = (rates, new(seed));
        WorkersPerNode = rates.Workers(nodes);
        LeafSeconds = rates.LeafTime(nodes);
        Tree = new(rates.Leaves);
        _ranges = rates.Layout.Shards(rates.Shards(nodes));
        _network = new(Queue, nodes, rates.NetworkRate / TicksPerSecond, sizeof(float) * rates.Parameters / BlocksPerVector);
        _order = [.. Enumerable.Range(0, nodes)];
        Owners = new TimedShard?[_ranges.Count];
        Nodes = [.. Enumerable.Range(0, nodes).Select(index => new TimedNode(index, _ranges.Count))];
        Coordinator = new(this, Nodes[0], new()
        {
            Leaves = rates.Leaves,
            Steps = long.MaxValue,
            Shards = _ranges.Count,
            WorkersToStart = nodes * WorkersPerNode,
            NodesToStart = nodes,
            Run = Identity,
            PatienceTicks = Ticks(60),
            AreGradientsFetched = true,
        });
    }

    /// <summary>What all nodes say that they are set up for.</summary>
    public static RunIdentity Identity { get; } = new("configuration", "tokenizer", RunIdentity.ProtocolVersion);

    public TimedQueue Queue { get; } = new();

    public ScalingModel Rates { get; }

    public LeafTree Tree { get; }

    public int WorkersPerNode { get; }

    /// <summary>Seconds of a leaf at a worker like most.</summary>
    public double LeafSeconds { get; }

    public TimedNode[] Nodes { get; }

    public TimedCoordinator Coordinator { get; }

    /// <summary>The shards, wherever they are; none before a node has started it.</summary>
    public TimedShard?[] Owners { get; }

    /// <summary>What the machines said.</summary>
    public List<string> Notes { get; } = [];

    public static long Ticks(double seconds) => (long)Math.Round(seconds * TicksPerSecond);

    /// <summary>Runs until so many steps are done after the first, which begins with everybody's announcements.</summary>
    /// <returns>Seconds of each.</returns>
    public double[] Run(int steps)
    {
        Coordinator.Take(new MachineStarted());

        // Nodes start within as long as lies between two of their announcements, so that those do not come all at once.
        var announceTicks = new NodeSettings { Node = default, Run = Identity }.AnnounceTicks;
        foreach (var node in Nodes)
        {
            node.Actor = new(this, node);
            Queue.At(_dice.Between(0, announceTicks), () => node.Actor.Take(new MachineStarted()));
        }

        var done = Coordinator.StepTicks;
        while (done.Count <= steps)
        {
            if (done.Count == 0)
            {
                Notes.Clear();
            }

            Queue.Step();
        }

        return [.. Enumerable.Range(1, steps).Select(step => (done[step] - done[step - 1]) / TicksPerSecond)];
    }

    /// <summary>Ticks in which a message gets from one node to another; none within a process.</summary>
    public long Latency(TimedNode from, TimedNode to) => from == to ? 0 : Ticks(Rates.RoundTrip / 2);

    /// <summary>Bytes of a shard's slice of one vector.</summary>
    public long SliceBytes(ShardIndex shard) => (long)_ranges[shard.Number].Length * sizeof(float);

    /// <summary>One, give or take so much.</summary>
    public double Spread(double most) => 1 + (most * _dice.Between(-1000, 1000) / 1000);

    /// <summary>
    /// One node asks another for the sum of some of its buffers over a shard's range: the request has to get there, and the range to be final in all of them.
    /// </summary>
    public void Fetch(long askedTicks, TimedNode from, TimedNode to, ShardIndex shard, ReadOnlyMemory<ReductionSource> sources, Action ended) =>
        from.WhenFinal(sources, Rates.FinalEarly(_ranges[shard.Number].Offset), finalTicks => Queue.At(
            Math.Max(finalTicks, askedTicks + Ticks((Rates.RoundTrip / 2) + Rates.FetchTime)) + Ticks(Rates.RoundTrip / 2),
            () => _network.Send(from.Index, to.Index, SliceBytes(shard), ended)));

    /// <summary>
    /// A slice stands at a step at its owner. All other nodes have asked for it ahead, so it goes to all at once: their lanes' threads wake in any order.
    /// </summary>
    /// <param name="owner">Where it is.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="step">The step.</param>
    /// <param name="except">The node that has a copy, which it takes to that step itself; none when there is none.</param>
    public void Publish(TimedNode owner, ShardIndex shard, Step step, TimedNode? except)
    {
        owner.Stand(step);
        for (var left = _order.Length; left > 1; left--)
        {
            var drawn = _dice.Below(left);
            (_order[drawn], _order[left - 1]) = (_order[left - 1], _order[drawn]);
        }

        int[] order = [.. _order];
        Queue.At(Queue.NowTicks + Ticks((Rates.RoundTrip / 2) + Rates.FetchTime), () =>
        {
            foreach (var index in order)
            {
                var node = Nodes[index];
                if (node != owner && node != except)
                {
                    _network.Send(owner.Index, index, SliceBytes(shard), () => node.Stand(step));
                }
            }
        });
    }

    /// <summary>
    /// A shard begins to update its slice: the summed gradient goes to the node of the copy, in place of the weights, and that updates it as well.
    /// </summary>
    public void SendUpdate(TimedNode owner, ShardIndex shard, Step step, TimedNode copy) => Queue.At(
        Queue.NowTicks + Ticks((Rates.RoundTrip / 2) + Rates.FetchTime),
        () => _network.Send(owner.Index, copy.Index, SliceBytes(shard), () => Queue.At(
            Queue.NowTicks + Ticks(ScalingModel.UpdateFloats * SliceBytes(shard) / Rates.AddRate),
            () =>
            {
                copy.Stand(step);
                copy.Actor.Take(new CopyStands(shard, step));
            })));
}
