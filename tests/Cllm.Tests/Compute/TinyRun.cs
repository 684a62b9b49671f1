using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Tests.Compute;

/// <summary>A small run on synthetic tokens, and the loop of a step without actors: every worker, then every shard, in this thread.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly List<IWorkerCompute> _workers = [];
    private readonly List<IShardCompute> _shards = [];
    private readonly List<(int Level, int Index)[]> _leases;

    public TinyRun(RunPlan plan, int workers = 1, int threads = 1, int shards = 1, bool recompute = false)
    {
        Plan = plan;
        State = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, plan.Configuration.Seed, State.Weights.Span);
        for (int i = 0; i < workers; i++)
        {
            _workers.Add(new WorkerCompute(plan, State, threads, recompute));
        }

        foreach (ParameterRange range in plan.Layout.Shards(shards))
        {
            _shards.Add(new ShardCompute(plan, State, range));
        }

        _leases = [.. Enumerable.Range(0, workers).Select(w => Nodes(plan.Configuration.Leaves, w, workers).ToArray())];
    }

    public RunPlan Plan { get; }

    public RunState State { get; }

    /// <summary>Gradient buffers of the last step, one per leased node.</summary>
    public List<GradientSource> Sources { get; } = [];

    public static RunPlan PlanFor(GptShape shape, int batch = 8, int leaves = 8, float dropout = 0, int heldOutRows = 5, long steps = 50) => new(
        Configuration(shape, batch, leaves, dropout, steps),
        (step, row, tokens) => Fill(tokens, (step * 1000) + row, shape.Vocabulary),
        heldOutRows,
        (row, tokens) => Fill(tokens, -1 - row, shape.Vocabulary));

    public static RunConfiguration Configuration(GptShape shape, int batch, int leaves, float dropout, long steps) => new()
    {
        Shape = shape,
        Batch = batch,
        Leaves = leaves,
        Steps = steps,
        Seed = 7,
        Order = RowOrder.Sequential,
        Optimizer = new OptimizerConfiguration
        {
            LearningRate = 3e-3,
            MinimumLearningRate = 3e-4,
            WarmupSteps = 3,
            WeightDecay = 0.1,
            Beta1 = 0.9,
            Beta2 = 0.95,
            Epsilon = 1e-8,
            GradientClip = 1,
        },
        Dropout = dropout,
        ValidationFraction = 0,
        EvaluationRows = 0,
        EvaluateEvery = 0,
        Tokenizer = "tokens",
        TokenizerDigest = "",
        DataDigest = "",
        InitialWeightsDigest = "",
    };

    public StepScalars Step(long step)
    {
        Sources.Clear();
        var losses = new double[Plan.Configuration.Leaves];
        for (int w = 0; w < _workers.Count; w++)
        {
            _workers[w].ReleaseBuffers();
            foreach ((int level, int index) in _leases[w])
            {
                (int first, int count) = Plan.Leaves.LeavesUnder(level, index);
                int buffer = _workers[w].ComputeNode(step, level, index, losses.AsSpan(first, count));
                Sources.Add(new GradientSource(level, index, _workers[w], buffer));
            }
        }

        var norms = new double[Plan.Layout.NormBlocks];
        int block = 0;
        GradientSource[] sources = [.. Sources];
        foreach (IShardCompute shard in _shards)
        {
            shard.Reduce(step, sources, norms.AsSpan(block, shard.Blocks));
            block += shard.Blocks;
        }

        StepScalars scalars = StepCombination.Combine(Plan, step, losses, norms);
        foreach (IShardCompute shard in _shards)
        {
            shard.Apply(step, sources, scalars);
        }

        return scalars;
    }

    public double[] Evaluate()
    {
        var losses = new double[Plan.EvaluationUnits];
        _workers[0].Evaluate(0, 0, losses.Length, losses);
        return losses;
    }

    public float[] WeightsAfter(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            Step(step);
        }

        return State.Weights.Span.ToArray();
    }

    public void Dispose()
    {
        _workers.ForEach(w => w.Dispose());
        _shards.ForEach(s => s.Dispose());
        State.Dispose();
    }

    /// <summary>Worker w's contiguous run of leaves as maximal aligned nodes.</summary>
    internal static IEnumerable<(int Level, int Index)> Nodes(int leaves, int worker, int workers)
    {
        int leaf = leaves * worker / workers, end = leaves * (worker + 1) / workers;
        while (leaf < end)
        {
            int level = 0;
            while (leaf % (2 << level) == 0 && leaf + (2 << level) <= end)
            {
                level++;
            }

            yield return (level, leaf >> level);
            leaf += 1 << level;
        }
    }

    private static void Fill(Span<int> tokens, long key, int vocabulary)
    {
        ulong z = (ulong)key * 0x9E3779B97F4A7C15;
        for (int i = 0; i < tokens.Length; i++)
        {
            z = (z ^ (z >> 29)) * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB;
            tokens[i] = (int)((z >> 33) % (ulong)vocabulary);
        }
    }
}
