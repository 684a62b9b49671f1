using Cllm.Model.Shape;

namespace Cllm.Model.Run;

/// <summary>
/// Everything that determines the bits of a run. Two runs with equal configurations end with equal weights, wherever they ran.
/// </summary>
/// <remarks>What does not change a bit (workers, threads, cadence of checkpoints) is not in here; see <see cref="RunOptions"/>.</remarks>
public sealed record RunConfiguration
{
    /// <summary>The model's shape.</summary>
    public required GptShape Shape { get; init; }

    /// <summary>B, rows of the global batch.</summary>
    public required int Batch { get; init; }

    /// <summary>L, leaves per step: units of gradient work; at most <see cref="Batch"/>.</summary>
    public required int Leaves { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Seed of initial weights, data order and dropout.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How rows are drawn from the training part.</summary>
    public required RowOrder Order { get; init; }

    /// <summary>AdamW's constants and the clip.</summary>
    public required OptimizerConfiguration Optimizer { get; init; }

    /// <summary>Dropout rate on embeddings, attention and residuals; 0 is none.</summary>
    public required float Dropout { get; init; }

    /// <summary>Share of the data, at its end, that is held out for evaluation: 0 up to, not including, 1.</summary>
    public required double ValidationFraction { get; init; }

    /// <summary>Rows evaluated at each evaluation; 0 is every row of the held-out part.</summary>
    public required int EvaluationRows { get; init; }

    /// <summary>Steps between evaluations; 0 is none.</summary>
    public required long EvaluateEvery { get; init; }

    /// <summary>Tokenizer kind: byte, char, bpe, or tokens for a .bin file.</summary>
    public required string Tokenizer { get; init; }

    /// <summary>SHA-256 of the tokenizer's file, hexadecimal; empty for a .bin file.</summary>
    public required string TokenizerDigest { get; init; }

    /// <summary>SHA-256 of the token ids (uint16, little-endian), hexadecimal.</summary>
    public required string DataDigest { get; init; }

    /// <summary>SHA-256 of the initial weights given with --init, hexadecimal; empty when they are drawn from the seed.</summary>
    public required string InitialWeightsDigest { get; init; }
}

/// <summary>AdamW (Loshchilov and Hutter, 2019) with linear warm-up, cosine decay and clipping by global norm.</summary>
public sealed record OptimizerConfiguration
{
    /// <summary>Peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Learning rate at the end of the cosine.</summary>
    public required double MinimumLearningRate { get; init; }

    /// <summary>Steps of linear warm-up: step s of them uses LearningRate * (s + 1) / WarmupSteps.</summary>
    public required long WarmupSteps { get; init; }

    /// <summary>Decoupled weight decay, on tensors of two or more dimensions.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>Decay of the first moment.</summary>
    public required double Beta1 { get; init; }

    /// <summary>Decay of the second moment.</summary>
    public required double Beta2 { get; init; }

    /// <summary>Added to the root of the second moment.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Largest global gradient norm; 0 is no clipping.</summary>
    public required double GradientClip { get; init; }
}

/// <summary>How rows are drawn from the training part.</summary>
public enum RowOrder
{
    /// <summary>Every window once per pass, in an order that is a pure function of seed and pass.</summary>
    Shuffled,

    /// <summary>Step s, row b reads tokens[(s*B + b)*T ..] and wraps around.</summary>
    Sequential,
}

/// <summary>What a user may change between two parts of one run without changing a bit of its result.</summary>
public sealed record RunOptions
{
    /// <summary>Workers in this process.</summary>
    public required int Workers { get; init; }

    /// <summary>Threads of each worker.</summary>
    public required int ThreadsPerWorker { get; init; }

    /// <summary>Threads of all workers of this process.</summary>
    public int Threads => Workers * ThreadsPerWorker;

    /// <summary>Whether activations are computed again in the backward pass and not kept.</summary>
    public bool Recompute { get; init; }

    /// <summary>Steps between checkpoints; 0 is only at the end and on Ctrl-C.</summary>
    public required long CheckpointEvery { get; init; }

    /// <summary>Checkpoints kept, newest first.</summary>
    public int CheckpointsKept { get; init; } = 2;
}
