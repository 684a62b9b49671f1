using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Cli.Train;

/// <summary>Every setting of a run with its value: a preset's, or what the user gave over it.</summary>
public sealed record TrainPlan
{
    /// <summary>What a run's configuration names as tokenizer when its data were token ids.</summary>
    public const string TokenIds = "tokens";

    /// <summary>byte, char or bpe; for token ids from a .bin file it means nothing.</summary>
    public string Tokenizer { get; init; } = "bpe";

    /// <summary>Entries of a bpe vocabulary, or of the vocabulary that a .bin file was made with.</summary>
    public int Vocabulary { get; init; } = 1000;

    /// <summary>Share of the data, at its end, that is held out.</summary>
    public double ValidationFraction { get; init; } = 0.1;

    /// <summary>Transformer blocks.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Numbers per token in the residual stream.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Longest context in tokens.</summary>
    public int Block { get; init; } = 64;

    /// <summary>Rows of the global batch.</summary>
    public int Batch { get; init; } = 16;

    /// <summary>Optimizer steps.</summary>
    public long Steps { get; init; } = 2000;

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Learning rate at the end.</summary>
    public double MinimumLearningRate { get; init; } = 1e-4;

    /// <summary>Steps of linear warm-up.</summary>
    public long Warmup { get; init; } = 100;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Decay of Adam's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of Adam's second moment.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Added to the root of Adam's second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest global gradient norm; 0 is none.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>Dropout rate.</summary>
    public double Dropout { get; init; }

    /// <summary>Units of gradient work per step.</summary>
    public int Leaves { get; init; } = 8;

    /// <summary>Seed of initial weights, data order and dropout.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>shuffled or sequential.</summary>
    public string Order { get; init; } = "shuffled";

    /// <summary>Steps between evaluations; 0 is none.</summary>
    public long EvaluateEvery { get; init; } = 250;

    /// <summary>Batches of each evaluation; 0 is the whole held-out part.</summary>
    public int EvaluationBatches { get; init; } = 20;

    /// <summary>Steps between checkpoints; 0 is only at the end and on Ctrl-C.</summary>
    public long CheckpointEvery { get; init; } = 250;

    /// <summary>Workers; 0 is chosen from the cores.</summary>
    public int Workers { get; init; }

    /// <summary>Threads of each worker; 0 is chosen from the cores.</summary>
    public int ThreadsPerWorker { get; init; }

    /// <summary>Whether activations are computed again in the backward pass.</summary>
    public bool Recompute { get; init; }

    /// <summary>The model's shape with the vocabulary the data turned out to have.</summary>
    public GptShape Shape(int vocabulary) => new(vocabulary, Block, Layers, Heads, Width);

    /// <summary>Checks what one setting demands of another.</summary>
    /// <returns>This plan.</returns>
    /// <exception cref="InputException">Two settings contradict each other.</exception>
    public TrainPlan Validate()
    {
        Shape(Vocabulary).Validate();
        Require(
            Leaves <= Batch,
            $"--leaves is {Leaves} and --batch has only {Batch} rows; a leaf is at least one row, so give at most {Batch} leaves.");
        Require(
            MinimumLearningRate <= LearningRate,
            $"--min-lr is {MinimumLearningRate} and lies above --lr {LearningRate}; make it smaller.");
        Require(Warmup <= Steps, $"--warmup is {Warmup} and the run has only {Steps} steps; give fewer warm-up steps or more --steps.");
        Require(
            EvaluateEvery == 0 || ValidationFraction > 0,
            "--eval-every needs held-out text and --val-fraction is 0; give --eval-every 0 or hold something out.");
        Require(
            (long)EvaluationBatches * Batch <= int.MaxValue,
            $"--eval-batches {EvaluationBatches} of {Batch} rows are too many; 0 takes the whole held-out part.");
        Require((long)Batch * Block <= int.MaxValue, $"--batch {Batch} of --block {Block} tokens is more than 2 billion tokens a step; make one of them smaller.");

        // The largest buffer of a worker is the MLP's, four times the width for each token it works on at once.
        int rows = WorkerCompute.RowsMax(new LeafPlan(Batch, Leaves), Block, RunPlan.EvaluationUnitRows);
        Require(
            4L * rows * Block * Width <= int.MaxValue,
            $"{rows} rows of {Block} tokens and width {Width} are worked on at once, and no buffer holds so much; give more --leaves, or a smaller --block or --width.");
        return this;
    }

    /// <summary>The run's identity, once its data and its tokenizer are known.</summary>
    public RunConfiguration Configure(
        int vocabulary, string tokenizer, string tokenizerDigest, string dataDigest, string initialWeightsDigest) => new()
    {
        Shape = Shape(vocabulary).Validate(),
        Batch = Batch,
        Leaves = Leaves,
        Steps = Steps,
        Seed = (ulong)Seed,
        Order = Order == "sequential" ? RowOrder.Sequential : RowOrder.Shuffled,
        Optimizer = new OptimizerConfiguration
        {
            LearningRate = LearningRate,
            MinimumLearningRate = MinimumLearningRate,
            WarmupSteps = Warmup,
            WeightDecay = WeightDecay,
            Beta1 = Beta1,
            Beta2 = Beta2,
            Epsilon = Epsilon,
            GradientClip = GradientClip,
        },
        Dropout = (float)Dropout,
        ValidationFraction = ValidationFraction,
        EvaluateEvery = EvaluateEvery,
        EvaluationRows = EvaluationBatches * Batch,
        Tokenizer = tokenizer,
        TokenizerDigest = tokenizerDigest,
        DataDigest = dataDigest,
        InitialWeightsDigest = initialWeightsDigest,
    };

    /// <summary>The plan that a run was started with.</summary>
    public static TrainPlan Of(RunConfiguration run) => new()
    {
        Tokenizer = run.Tokenizer,
        Vocabulary = run.Shape.Vocabulary,
        ValidationFraction = run.ValidationFraction,
        Layers = run.Shape.Layers,
        Heads = run.Shape.Heads,
        Width = run.Shape.Width,
        Block = run.Shape.Block,
        Batch = run.Batch,
        Steps = run.Steps,
        LearningRate = run.Optimizer.LearningRate,
        MinimumLearningRate = run.Optimizer.MinimumLearningRate,
        Warmup = run.Optimizer.WarmupSteps,
        WeightDecay = run.Optimizer.WeightDecay,
        Beta1 = run.Optimizer.Beta1,
        Beta2 = run.Optimizer.Beta2,
        Epsilon = run.Optimizer.Epsilon,
        GradientClip = run.Optimizer.GradientClip,
        // Through decimal, so that the float 0.2 reads as the 0.2 that was typed.
        Dropout = (double)(decimal)run.Dropout,
        Leaves = run.Leaves,
        Seed = (long)run.Seed,
        Order = run.Order == RowOrder.Sequential ? "sequential" : "shuffled",
        EvaluateEvery = run.EvaluateEvery,
        EvaluationBatches = run.EvaluationRows / run.Batch,
    };

    /// <summary>Spreads a run over the cores: what the user left open is chosen so that workers times threads use them all.</summary>
    /// <param name="cores">Logical processors.</param>
    public RunOptions Spread(int cores)
    {
        int workers = Workers > 0 ? Workers : ThreadsPerWorker > 0 ? Math.Max(1, cores / ThreadsPerWorker) : Math.Min(cores, Leaves);
        return new RunOptions
        {
            Workers = workers,
            ThreadsPerWorker = ThreadsPerWorker > 0 ? ThreadsPerWorker : Math.Max(1, cores / workers),
            CheckpointEvery = CheckpointEvery,
            Recompute = Recompute,
        };
    }

    private static void Require(bool holds, string sentence)
    {
        if (!holds)
        {
            throw new InputException(sentence);
        }
    }
}
