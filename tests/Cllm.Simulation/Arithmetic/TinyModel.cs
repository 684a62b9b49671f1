using System.Globalization;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Protocol.Tree;

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

    private readonly RunPlan _plan = PlanOf();
    private readonly RunHost _host;
    private readonly TreeSum _sum;
    private readonly int _shards;

    /// <summary>The slices, while workers read the weights of their own process.</summary>
    private float[]? _kept;

    public TinyModel(CheckpointStore checkpoints, int shardsWanted)
    {
        _host = new(_plan, checkpoints, "tiny-model")
        {
            InitialWeights = weights => InitialWeights.Draw(_plan.Layout, WeightsSeed, weights),
            Warn = _ => { },
        };
        _shards = _host.Shards(shardsWanted);
        _sum = new(_host.Leaves);
        _host.Restore();
    }

    public IRunHost Host => _host;

    public long Version { get; set; }

    public bool IsTorn { get; set; }

    public void ComputeFrom(float[][]? weights)
    {
        var all = _host.State.Weights.Span;
        if (_kept is not null)
        {
            _kept.CopyTo(all);
            _kept = null;
        }

        if (weights is not null)
        {
            _kept = all.ToArray();
            for (var shard = 0; shard < _shards; shard++)
            {
                weights[shard].CopyTo(all[Range(shard).Offset..]);
            }
        }
    }

    public ParameterRange Range(int shard) => _plan.Layout.Shards(_shards)[shard];

    public void AddUp(ReadOnlySpan<GradientSource> sources, LeafNode node, ParameterRange range, Span<float> sum)
    {
        for (var at = 0; at < range.Length; at += TreeSum.Chunk)
        {
            var part = new ParameterRange(range.Offset + at, Math.Min(TreeSum.Chunk, range.Length - at));
            _sum.Add(sources, node.Level, node.Index, part).CopyTo(sum[at..]);
        }
    }

    public float[][] Sections(object copy) => (float[][])copy;

    public object Copy(float[][] sections) => sections;

    public ulong Digest()
    {
        var weights = Cllm.Model.Files.Digest.Weights(_plan.Layout, _host.State.Weights.Span);
        var optimizer = Cllm.Model.Files.Digest.Optimizer(_plan.Layout, _host.State.FirstMoment.Span, _host.State.SecondMoment.Span);
        return Head(weights) ^ (Head(optimizer) * 31);
    }

    public void Spoil(int shard)
    {
        var range = Range(shard);
        _host.State.Weights.Span.Slice(range.Offset, range.Length).Fill(0.125f);
        _host.State.FirstMoment.Span.Slice(range.Offset, range.Length).Fill(0.5f);
        Version++;
    }

    public object Save(int shard)
    {
        var range = Range(shard);
        return (float[][])[.. Vectors().Select(vector => vector.Span.Slice(range.Offset, range.Length).ToArray())];
    }

    public void Load(int shard, object copy)
    {
        var range = Range(shard);
        foreach (var (vector, part) in Vectors().Zip((float[][])copy))
        {
            var slice = vector.Span.Slice(range.Offset, range.Length);
            Version += slice.SequenceEqual(part) ? 0 : 1;
            part.CopyTo(slice);
        }
    }

    public void Changed() => Version++;

    public void Dispose()
    {
        _sum.Dispose();
        _host.Dispose();
    }

    private Cllm.Numerics.Memory.AlignedBuffer[] Vectors() => [_host.State.Weights, _host.State.FirstMoment, _host.State.SecondMoment];

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
