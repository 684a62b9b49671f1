using Cllm.Actors.Cluster;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Shards;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>
/// What a shard's actor does: it fetches the sums that the program's own routes name, from all nodes at once and one at a time from each, as soon as
/// it hears where they will be; adds them and the buffers of its own node, keeps the sum, updates with it, and offers its slice to the node of the copy, which has followed by then.
/// </summary>
internal sealed class TimedShard : TimedActor
{
    private readonly StartShard _start;
    private readonly List<GradientRoute> _routes = [];
    private readonly Dictionary<NodeId, Queue<GradientRoute>> _missing = [];
    private ReductionSource[] _sources = [];

    /// <summary>The step whose gradients it has asked for last.</summary>
    private Step? _asked;

    /// <summary>The order that waits for them.</summary>
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
                Fetched(part.From);
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
            case ExpectGradients work:
                Ask(work.Step, work.Sources);
                return null;
            case ReduceSlice work:
                Ask(work.Step, work.Sources);
                _gathering = work;
                return _missing.Count == 0 ? Reduce() : null;
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

    /// <summary>Asks all nodes for what it needs of them, unless it has asked before the order.</summary>
    private void Ask(Step step, ReductionSource[] sources)
    {
        if (_asked == step)
        {
            return;
        }

        GradientRoutes.Find(Cluster.Tree, sources, Node.Id, _routes);
        (_asked, _sources) = (step, sources);
        foreach (var route in _routes)
        {
            if (route.Holder != Node.Id)
            {
                _missing.TryAdd(route.Holder, new());
                _missing[route.Holder].Enqueue(route);
            }
        }

        foreach (var holder in _missing.Keys)
        {
            Begin(holder);
        }
    }

    private void Begin(NodeId holder)
    {
        var route = _missing[holder].Peek();
        Cluster.Fetch(NowTicks, Cluster.Nodes[holder.Number], Node, Shard, _sources.AsMemory(route.First, route.Count), () => Take(new PartCame(holder)));
    }

    /// <summary>A sum has come from a node: the next one of that node, or all are there.</summary>
    private void Fetched(NodeId holder)
    {
        _missing[holder].Dequeue();
        if (_missing[holder].Count > 0)
        {
            Begin(holder);
            return;
        }

        _missing.Remove(holder);
        if (_missing.Count == 0 && _gathering is not null)
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
