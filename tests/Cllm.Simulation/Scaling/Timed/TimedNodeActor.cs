using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>What a node's actor does: it announces the node and its members, passes on what they say, and says when copies stand where they should.</summary>
internal sealed class TimedNodeActor(TimedCluster cluster, TimedNode node)
    : TimedActor(cluster, node, new Node(new() { Node = node.Id, Run = TimedCluster.Identity }))
{
    private readonly Dictionary<ShardIndex, Step> _copies = [];
    private readonly Dictionary<ShardIndex, CopyOffered> _offers = [];
    private Epoch _epoch;

    protected override void Receive(object message)
    {
        switch (message)
        {
            case Passed passed:
                Tell(Cluster.Coordinator, passed.Message);
                break;
            case CopyOffered offer:
                // The first one is there from the beginning.
                _copies.TryAdd(offer.Shard.Shard, offer.Step);
                _offers[offer.Shard.Shard] = offer;
                Answer(offer.Shard.Shard);
                break;
            case CopyStands copy:
                _copies[copy.Shard] = copy.Step;
                Answer(copy.Shard);
                break;
            case NodeAdmitted admitted:
                _epoch = admitted.Epoch;
                Feed(admitted);
                foreach (var (shard, step) in _copies)
                {
                    Tell(Cluster.Coordinator, new ReplicaHeld(shard, step, Node.Id));
                }

                break;
            case Input input:
                Feed(input);
                break;
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                // Where it is and how it does come before each announcement; only the host reads them.
                Tell(Cluster.Coordinator, HostsOnly.Instance);
                Tell(Cluster.Coordinator, HostsOnly.Instance);
                Tell(Cluster.Coordinator, send.Message);
                return null;
            case AnnounceMembers announce:
                Announce(announce);
                return null;
            case StartShard start:
                var shard = new TimedShard(Cluster, Node, start, _epoch);
                Node.Shards.Add(shard);
                Cluster.Owners[start.Shard.Number] = shard;
                Tell(shard, new MachineStarted());
                return null;
            default:
                throw Invariant.Broken($"node {Node.Id} performs no {effect.GetType().Name}");
        }
    }

    private void Announce(AnnounceMembers announce)
    {
        if (Node.Workers.Count == 0)
        {
            for (var i = 0; i < Cluster.WorkersPerNode; i++)
            {
                var worker = new WorkerId(NodeNumbers.FirstWorker(Node.Id) + i);
                Node.Workers.Add(new(Cluster, Node, worker, announce.Epoch));
            }
        }

        var started = new CoordinatorStarted(announce.Epoch);
        foreach (var member in Node.Workers.Concat<TimedActor>(Node.Shards))
        {
            Tell(member, started);
        }
    }

    private void Answer(ShardIndex shard)
    {
        if (_offers.TryGetValue(shard, out var offer) && offer.Step == _copies[shard])
        {
            _offers.Remove(shard);
            Tell(offer.Shard, new CopyCame(offer.Step, Node.Id));
        }
    }
}

/// <summary>A copy that a node holds stands at a step.</summary>
internal sealed record CopyStands(ShardIndex Shard, Step Step);

/// <summary>What a worker or shard says to the coordinator, by way of its node.</summary>
internal sealed record Passed(Input Message);

/// <summary>A message between hosts that no machine sees.</summary>
internal sealed record HostsOnly
{
    public static HostsOnly Instance { get; } = new();
}
