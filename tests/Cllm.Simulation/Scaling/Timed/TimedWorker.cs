using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Workers;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>What a worker's actor does: a leaf takes the stated time, and waits for the weights of its step.</summary>
internal sealed class TimedWorker : TimedActor
{
    private static readonly long[] NoLosses = [];

    private readonly WorkerId _worker;
    private readonly double _speed;
    private ComputeNode? _waiting;
    private int _buffers;

    public TimedWorker(TimedCluster cluster, TimedNode node, WorkerId worker, Epoch epoch)
        : base(cluster, node, new Worker(new() { Worker = worker, Incarnation = new(1), Node = node.Id, Epoch = epoch }))
    {
        _worker = worker;
        _speed = cluster.Spread(ScalingModel.WorkerSpread);
    }

    protected override void Receive(object message)
    {
        if (message is Input input)
        {
            Feed(input);
        }
        else if (_waiting is { } work)
        {
            _waiting = null;
            Feed(Compute(work));
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Tell(Node.Actor, new Passed(send.Message));
                return null;
            case ComputeNode work when Node.AreWeightsAt(work.Step):
                return Compute(work);
            case ComputeNode work:
                _waiting = work;
                Node.Await(this);
                return null;
            case ReleaseBuffers:
                _buffers = 0;
                return null;
            default:
                throw Invariant.Broken($"worker {_worker} performs no {effect.GetType().Name}");
        }
    }

    private NodeComputed Compute(ComputeNode work)
    {
        var leaves = Cluster.Tree.Count(work.Node);
        var beganTicks = NowTicks;
        for (var leaf = 0; leaf < leaves; leaf++)
        {
            beganTicks = NowTicks;
            Spend(Cluster.LeafSeconds * _speed * Cluster.Spread(ScalingModel.LeafSpread));
        }

        Node.Computes(work.Lease, NowTicks, NowTicks - beganTicks);
        return new(work.Lease, _buffers++, Payload.Of(NoLosses));
    }
}
