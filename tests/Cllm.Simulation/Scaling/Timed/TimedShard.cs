using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Shards;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>
/// What a shard's actor does: it fetches the sums that the program's own routes name, from all nodes at once and one at a time from each, adds them and the
/// buffers of its own node, keeps the sum, updates with it, and offers its slice to the node of the copy, which has followed by then.
/// </summary>
internal sealed class TimedShard : TimedActor
{
    private readonly StartShard _start;
    private readonly List<GradientRoute> _routes = [];
    private readonly Dictionary<NodeId, Queue<GradientRoute>> _missing = [];
    private ReduceSlice? _gathering;

    /// <summary>The node that holds the copy; none when nobody does.</summary>
    private TimedNode? _copy;

    public TimedShard(TimedCluster cluster, TimedNode node, StartShard start, Epoch epoch)
        : base(cluster, node, new Shard(new() { Shard = start.Shard, Incarnation = start.Incarnation, Node = node.Id, Epoch = epoch, Slice = start.Step })) =>
        _start = start;

    public ShardIndex Shard => _start.Shard;

    private long Bytes => Cluster.SliceBytes(Shard);

    protected override void Receive(object message)
    {
        switch (message)
        {
            case Input input:
                Feed(input);
                break;
            case PartCame part:
                Fetch(part.From);
                break;
            case CopyCame copy:
                Feed(new SliceSent(copy.Step, copy.Replica, null));
                break;
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Tell(Node.Actor, new Passed(send.Message));
                return null;
            case ReduceSlice work:
                return Gather(work);
            case UpdateSlice work:
                var copy = _copy;
                if (copy is not null)
                {
                    Cluster.Queue.At(NowTicks, () => Cluster.SendUpdate(Node, Shard, work.Step.Next, copy));
                }

                Spend(ScalingModel.UpdateFloats * Bytes / Cluster.Rates.AddRate);
                Cluster.Queue.At(NowTicks, () => Cluster.Publish(Node, Shard, work.Step.Next, except: copy));
                return new SliceUpdated(work.Epoch, work.Step);
            case SendSlice work:
                _copy = Cluster.Nodes[work.Replica.Number];
                Tell(_copy.Actor, new CopyOffered(this, work.Step));
                return null;
            default:
                throw Invariant.Broken($"shard {Shard} performs no {effect.GetType().Name}");
        }
    }

    private SliceReduced? Gather(ReduceSlice work)
    {
        GradientRoutes.Find(Cluster.Tree, work.Sources, Node.Id, _routes);
        _gathering = work;
        foreach (var route in _routes)
        {
            if (route.Holder != Node.Id)
            {
                _missing.TryAdd(route.Holder, new());
                _missing[route.Holder].Enqueue(route);
            }
        }

        if (_missing.Count == 0)
        {
            return Reduce();
        }

        foreach (var holder in _missing.Keys)
        {
            Begin(holder);
        }

        return null;
    }

    private void Begin(NodeId holder) =>
        Cluster.Fetch(NowTicks, Cluster.Nodes[holder.Number], Node, Bytes, () => Take(new PartCame(holder)));

    /// <summary>A sum has come from a node: the next one of that node, or all are there.</summary>
    private void Fetch(NodeId holder)
    {
        _missing[holder].Dequeue();
        if (_missing[holder].Count > 0)
        {
            Begin(holder);
            return;
        }

        _missing.Remove(holder);
        if (_missing.Count == 0)
        {
            Feed(Reduce());
        }
    }

    private SliceReduced Reduce()
    {
        var work = _gathering!;
        _gathering = null;
        Spend((_routes.Count + 1) * Bytes / Cluster.Rates.AddRate);
        return new(work.Epoch, work.Step, Payload.Empty);
    }

    private sealed record PartCame(NodeId From);
}

/// <summary>Offer of a shard to the node of its replica.</summary>
internal sealed record CopyOffered(TimedShard Shard, Step Step);

/// <summary>Answer to it.</summary>
internal sealed record CopyCame(Step Step, NodeId Replica);
