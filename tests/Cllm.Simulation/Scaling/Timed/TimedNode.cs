using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>A process: where its slices stand, and who waits for them.</summary>
internal sealed class TimedNode(int index, int slices)
{
    private readonly int _slices = slices;
    private readonly List<TimedWorker> _waiting = [];
    private readonly Dictionary<LeaseId, (long EndTicks, long LeafTicks)> _computed = [];
    private readonly List<Func<bool>> _asking = [];
    private Step _newest;
    private int _standing = slices;

    public int Index => index;

    public NodeId Id => new(index);

    public TimedNodeActor Actor { get; set; } = null!;

    public List<TimedWorker> Workers { get; } = [];

    public List<TimedShard> Shards { get; } = [];

    /// <summary>Whether all weights stand at a step.</summary>
    public bool AreWeightsAt(Step step) => _newest == step && _standing == _slices;

    /// <summary>A worker computes a lease: it will have done so at a time, and be at its last leaf until then for so long.</summary>
    public void Computes(LeaseId lease, long endTicks, long leafTicks)
    {
        _computed.Add(lease, (endTicks, leafTicks));
        _asking.RemoveAll(ask => ask());
    }

    /// <summary>Somebody wants a sum of this node's buffers, or a part of it.</summary>
    /// <param name="sources">The buffers.</param>
    /// <param name="early">How long before the end of a lease's last leaf the part is final, as a share of that leaf.</param>
    /// <param name="known">Gets when it is final in all of them, as soon as that is known.</param>
    public void WhenFinal(ReadOnlyMemory<ReductionSource> sources, double early, Action<long> known)
    {
        if (!Ask())
        {
            _asking.Add(Ask);
        }

        bool Ask()
        {
            var final = 0L;
            foreach (var source in sources.Span)
            {
                if (!_computed.TryGetValue(source.Buffer.Lease, out var computed))
                {
                    return false;
                }

                final = Math.Max(final, computed.EndTicks - (long)(early * computed.LeafTicks));
            }

            known(final);
            return true;
        }
    }

    /// <summary>A worker waits for the weights.</summary>
    public void Await(TimedWorker worker) => _waiting.Add(worker);

    /// <summary>One more slice stands at a step.</summary>
    public void Stand(Step step)
    {
        (_standing, _newest) = (step == _newest ? _standing + 1 : 1, step);
        if (_standing == _slices)
        {
            foreach (var worker in _waiting)
            {
                worker.Take(WeightsCame.Instance);
            }

            _waiting.Clear();
        }
    }
}

/// <summary>All weights that a worker waits for are there.</summary>
internal sealed record WeightsCame
{
    public static WeightsCame Instance { get; } = new();
}
