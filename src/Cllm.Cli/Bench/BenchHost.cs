using Cllm.Model.Compute;
using Cllm.Model.Shape;

namespace Cllm.Cli.Bench;

/// <summary>A run as the trainer's host sees it, on synthetic tokens and without checkpoints; it keeps an eye on the time of each phase.</summary>
internal sealed class BenchHost : IRunHost, IDisposable
{
    private readonly RunPlan _plan;
    private readonly int _threadsPerWorker;
    private readonly bool _recompute;
    private readonly RunState _state;
    private readonly List<WorkerCompute> _workers = [];
    private readonly List<ShardCompute> _shards = [];

    /// <summary>Draws the weights.</summary>
    public BenchHost(RunPlan plan, int threadsPerWorker, bool recompute)
    {
        (_plan, _threadsPerWorker, _recompute) = (plan, threadsPerWorker, recompute);
        _state = new RunState(plan.Layout);
        Restore();
    }

    /// <inheritdoc/>
    public int EvaluationUnits => 0;

    /// <summary>What the run's memory consists of: names and bytes.</summary>
    public IReadOnlyList<(string Name, long Bytes)> Memory
    {
        get
        {
            long vector = _plan.Layout.Length * (long)sizeof(float);
            lock (_workers)
            {
                long logits = _workers.Sum(worker => worker.LogitsBytes);
                return
                [
                    ("weights", vector),
                    ("moments", 2 * vector),
                    ("gradients", _workers.Sum(worker => worker.GradientBytes)),
                    ("activations", _workers.Sum(worker => worker.ActivationBytes) - logits),
                    ("logits", logits),
                    ("scratch", _workers.Sum(worker => worker.ScratchBytes)),
                ];
            }
        }
    }

    /// <inheritdoc/>
    public int Shards(int wanted) => _plan.Layout.Shards(wanted).Count;

    /// <inheritdoc/>
    public IWorkerCompute CreateWorker(int worker)
    {
        var compute = new WorkerCompute(_plan, _state, _threadsPerWorker, _recompute);
        lock (_workers)
        {
            _workers.Add(compute);
        }

        return compute;
    }

    /// <inheritdoc/>
    public IShardCompute CreateShard(int shard, int shards)
    {
        var compute = new ShardCompute(_plan, _state, _plan.Layout.Shards(shards)[shard]);
        lock (_shards)
        {
            _shards.Add(compute);
        }

        return compute;
    }

    /// <inheritdoc/>
    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms) =>
        StepCombination.Combine(_plan, step, leafLosses, blockNorms);

    /// <inheritdoc/>
    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses) => 0;

    /// <inheritdoc/>
    public void TakeSnapshot(long step)
    {
        // No checkpoint is written; the trainer asks for one when it ends.
    }

    /// <inheritdoc/>
    public string WriteSnapshot(long step) => "";

    /// <inheritdoc/>
    public long Restore()
    {
        _state.FirstMoment.Span.Clear();
        _state.SecondMoment.Span.Clear();
        InitialWeights.Draw(_plan.Layout, _plan.Configuration.Seed, _state.Weights.Span);
        return 0;
    }

    /// <summary>Milliseconds in a phase so far, a mean over those who do its work.</summary>
    public double Milliseconds(Phase phase)
    {
        // Loops, not queries: it is asked between steps in which nothing is to be allocated.
        double workers = 0;
        for (int i = 0; i < _workers.Count; i++)
        {
            workers += _workers[i].Times[phase].TotalMilliseconds / _workers.Count;
        }

        double shards = 0;
        for (int i = 0; i < _shards.Count; i++)
        {
            shards += _shards[i].Times[phase].TotalMilliseconds / _shards.Count;
        }

        return workers + shards;
    }

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();
}
