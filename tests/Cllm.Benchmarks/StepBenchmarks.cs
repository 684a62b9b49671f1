using BenchmarkDotNet.Attributes;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Benchmarks;

/// <summary>
/// The arithmetic of a whole step without actors: one worker computes both leaves and adds them, one shard reduces and updates. It
/// allocates nothing on the managed heap.
/// </summary>
[MemoryDiagnoser]
public class StepBenchmarks
{
    private const int Leaves = 2;

    private readonly double[] _losses = new double[Leaves];
    private readonly GradientSource[] _sources = new GradientSource[1];
    private RunPlan _plan = null!;
    private RunState _state = null!;
    private WorkerCompute _worker = null!;
    private ShardCompute _shard = null!;
    private double[] _norms = [];
    private long _step;

    /// <summary>Vocabulary, block, layers, heads, width, batch: the shapes seed and shakespeare-cpu.</summary>
    [Params("1000,32,2,4,128,4", "65,64,4,4,128,12")]
    public string Shape { get; set; } = "";

    [Params(false, true)]
    public bool Recompute { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        int[] size = Array.ConvertAll(Shape.Split(','), int.Parse);
        _plan = PlanFor(new GptShape(size[0], size[1], size[2], size[3], size[4]), size[5]);
        _state = new RunState(_plan.Layout);
        InitialWeights.Draw(_plan.Layout, 1, _state.Weights.Span);
        _worker = new WorkerCompute(_plan, _state, threads: 1, Recompute);
        _shard = new ShardCompute(_plan, _state, new ParameterRange(0, _plan.Layout.Length));
        _norms = new double[_shard.Blocks];
    }

    [GlobalCleanup]
    public void Free()
    {
        _worker.Dispose();
        _shard.Dispose();
        _state.Dispose();
    }

    [Benchmark]
    public void Step()
    {
        _worker.ReleaseBuffers();
        _sources[0] = new GradientSource(1, 0, _worker, _worker.ComputeNode(_step, 1, 0, _losses));
        _shard.Reduce(_step, _sources, _norms);
        _shard.Apply(_step, _sources, StepCombination.Combine(_plan, _step, _losses, _norms));
        _step++;
    }

    private static RunPlan PlanFor(GptShape shape, int batch) => new(
        new RunConfiguration
        {
            Shape = shape,
            Batch = batch,
            Leaves = Leaves,
            Steps = 1_000_000,
            Seed = 1,
            Order = RowOrder.Sequential,
            Optimizer = new OptimizerConfiguration
            {
                LearningRate = 1e-4,
                MinimumLearningRate = 1e-5,
                WarmupSteps = 10,
                WeightDecay = 0.1,
                Beta1 = 0.9,
                Beta2 = 0.99,
                Epsilon = 1e-8,
                GradientClip = 1,
            },
            Dropout = 0,
            ValidationFraction = 0,
            EvaluationRows = 0,
            EvaluateEvery = 0,
            Tokenizer = "tokens",
            TokenizerDigest = "",
            DataDigest = "",
            InitialWeightsDigest = "",
        },
        (step, row, tokens) => Draw(tokens, (step * batch) + row, shape.Vocabulary),
        0,
        static (_, tokens) => tokens.Clear());

    private static void Draw(Span<int> tokens, long row, int vocabulary)
    {
        ulong z = (ulong)row * 0x9E3779B97F4A7C15;
        foreach (ref int token in tokens)
        {
            z = ((z ^ (z >> 29)) * 0xBF58476D1CE4E5B9) + 0x94D049BB133111EB;
            token = (int)((z >> 33) % (ulong)vocabulary);
        }
    }
}
