using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Cli.Bench;

/// <summary>A model and batch whose steps are timed.</summary>
/// <param name="Name">As --shape takes it.</param>
/// <param name="Shape">The model.</param>
/// <param name="Batch">Rows of the global batch.</param>
/// <param name="Leaves">Leaves of a step.</param>
/// <param name="IsNamed">Timed only when it is named: a step takes seconds.</param>
internal sealed record BenchShape(string Name, GptShape Shape, int Batch, int Leaves, bool IsNamed)
{
    /// <summary>All of them, the smallest first.</summary>
    public static IReadOnlyList<BenchShape> All { get; } =
    [
        new("seed", new GptShape(1000, 32, 2, 4, 128), 4, 2, false),
        new("shakespeare-cpu", new GptShape(65, 64, 4, 4, 128), 12, 2, false),
        new("shakespeare", new GptShape(65, 256, 6, 6, 384), 12, 4, false),
        new("gpt2", new GptShape(50257, 64, 12, 12, 768), 4, 2, true),
        new("gpt2-1024", new GptShape(50257, 1024, 12, 12, 768), 1, 1, true),
    ];

    /// <summary>The one that --shape calls so.</summary>
    public static BenchShape Named(string name) => All.Single(bench => bench.Name == name);

    /// <summary>Tokens of a step.</summary>
    public int Tokens => Batch * Shape.Block;

    /// <summary>
    /// Floating-point operations of a step: 6 a weight of a matrix and token, and attention's two products over the causal half.
    /// </summary>
    public double Flops
    {
        get
        {
            double weights = (12.0 * Shape.Layers * Shape.Width * Shape.Width) + ((double)Shape.Vocabulary * Shape.Width);
            return Tokens * ((6 * weights) + (6.0 * Shape.Layers * Shape.Width * (Shape.Block + 1)));
        }
    }

    /// <summary>The same with another number of leaves.</summary>
    /// <param name="leaves">Leaves of a step; none for the shape's own.</param>
    /// <exception cref="InputException">There are not so many rows.</exception>
    public BenchShape With(long? leaves) => leaves <= Batch || leaves is null
        ? this with { Leaves = (int)(leaves ?? Leaves) }
        : throw new InputException($"--leaves is {leaves} and a step of {Name} has only {Batch} rows; a leaf is at least one row, so give at most {Batch} leaves.");

    /// <summary>Workers and threads of each for a number of cores: as many workers as have a leaf, and cores left over as their threads.</summary>
    public (int Workers, int ThreadsPerWorker) Split(int cores)
    {
        int workers = Enumerable.Range(1, Math.Min(Leaves, cores)).Last(count => cores % count == 0);
        return (workers, cores / workers);
    }

    /// <summary>The run: synthetic tokens, no dropout, nothing held out.</summary>
    public RunPlan Plan(long steps) => new(
        new RunConfiguration
        {
            Shape = Shape,
            Batch = Batch,
            Leaves = Leaves,
            Steps = steps,
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
        (step, row, tokens) => Draw(tokens, (step * Batch) + row),
        0,
        (_, tokens) => tokens.Clear());

    private void Draw(Span<int> tokens, long row)
    {
        ulong z = (ulong)row * 0x9E3779B97F4A7C15;
        foreach (ref int token in tokens)
        {
            z = ((z ^ (z >> 29)) * 0xBF58476D1CE4E5B9) + 0x94D049BB133111EB;
            token = (int)((z >> 33) % (ulong)Shape.Vocabulary);
        }
    }
}
