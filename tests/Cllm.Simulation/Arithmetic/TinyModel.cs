using System.Globalization;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Simulation.Arithmetic;

/// <summary>A real language model, as small as can be cut into several shards: the program's own host, workers and shards on synthetic tokens.</summary>
internal sealed class TinyModel : IArithmetic
{
    /// <summary>Leaves of a step: one row each.</summary>
    public const int Leaves = 6;

    /// <summary>Steps of a run.</summary>
    public const int Steps = 8;

    private const ulong WeightsSeed = 7;
    private static readonly GptShape Shape = new(Vocabulary: 64, Block: 4, Layers: 1, Heads: 2, Width: 48);

    private static readonly RunPlan Plan = PlanOf();

    private readonly RunHost _host;

    private readonly int _shards;

    public TinyModel(CheckpointStore checkpoints, int shardsWanted)
    {
        _shards = Plan.Layout.Shards(shardsWanted).Count;
        _host = new(Plan, checkpoints, "tiny-model")
        {
            InitialWeights = weights => InitialWeights.Draw(Plan.Layout, WeightsSeed, weights),
            Warn = _ => { },
        };
    }

    public RunState State => _host.State;

    public CheckpointStore Checkpoints => _host.Checkpoints;

    public long NewestCheckpoint => _host.NewestCheckpoint;

    public int EvaluationUnits => _host.EvaluationUnits;

    public bool IsTorn { get; set; }

    public int Shards(int wanted) => _host.Shards(wanted);

    public IReadOnlyList<ParameterRange> Ranges(int shards) => _host.Ranges(shards);

    public IWorkerCompute CreateWorker(int worker) => _host.CreateWorker(worker);

    public IShardCompute CreateShard(int shard, int shards) => _host.CreateShard(shard, shards);

    public IShardCompute CreateShard(int shard, int shards, AlignedBuffer? kept) => _host.CreateShard(shard, shards, kept);

    public IGradientSum CreateSum() => _host.CreateSum();

    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms) => _host.Combine(step, leafLosses, blockNorms);

    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses) => _host.CombineEvaluation(step, unitLosses);

    public void TakeSnapshot(long step) => _host.TakeSnapshot(step);

    public string WriteSnapshot(long step) => _host.WriteSnapshot(step);

    public long Restore() => _host.Restore();

    public CheckpointCopy? BeginCopy(long step, byte[] state) => _host.BeginCopy(step, state);

    public ulong Digest()
    {
        var weights = Cllm.Model.Files.Digest.Weights(Plan.Layout, State.Weights.Span);
        var optimizer = Cllm.Model.Files.Digest.Optimizer(Plan.Layout, State.FirstMoment.Span, State.SecondMoment.Span);
        return Head(weights) ^ (Head(optimizer) * 31);
    }

    public void Spoil(int shard)
    {
        var range = Ranges(_shards)[shard];
        State.Weights.Span.Slice(range.Offset, range.Length).Fill(0.125f);
        State.FirstMoment.Span.Slice(range.Offset, range.Length).Fill(0.5f);
    }

    public void Dispose() => _host.Dispose();

    private static ulong Head(string digest) => ulong.Parse(digest.AsSpan(0, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static RunPlan PlanOf() => new(
        new RunConfiguration
        {
            Shape = Shape,
            Batch = Leaves,
            Leaves = Leaves,
            Steps = Steps,
            Seed = WeightsSeed,
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
            Dropout = 0.1f,
            ValidationFraction = 0,
            EvaluationRows = 0,
            EvaluateEvery = 0,
            Tokenizer = "tokens",
            TokenizerDigest = "",
            DataDigest = "",
            InitialWeightsDigest = "",
        },
        (step, row, tokens) => Fill(tokens, (step * 1000) + row),
        5,
        (row, tokens) => Fill(tokens, -1 - row));

    private static void Fill(Span<int> tokens, long key)
    {
        var z = (ulong)key * 0x9E3779B97F4A7C15;
        for (var i = 0; i < tokens.Length; i++)
        {
            z = ((z ^ (z >> 29)) * 0xBF58476D1CE4E5B9) + 0x94D049BB133111EB;
            tokens[i] = (int)((z >> 33) % (ulong)Shape.Vocabulary);
        }
    }
}
