using Cllm.Protocol.Identity;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>A process: where its slices stand, and who waits for them.</summary>
internal sealed class TimedNode(int index, int slices)
{
    private readonly int _slices = slices;
    private readonly List<TimedWorker> _waiting = [];
    private Step _newest;
    private int _standing = slices;

    public int Index => index;

    public NodeId Id => new(index);

    public TimedNodeActor Actor { get; set; } = null!;

    public List<TimedWorker> Workers { get; } = [];

    public List<TimedShard> Shards { get; } = [];

    /// <summary>Whether all weights stand at a step.</summary>
    public bool AreWeightsAt(Step step) => _newest == step && _standing == _slices;

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
