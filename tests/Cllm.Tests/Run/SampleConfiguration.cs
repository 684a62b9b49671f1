using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Tests.Run;

/// <summary>A configuration and options for tests.</summary>
internal static class SampleConfiguration
{
    public static readonly RunConfiguration Configuration = new()
    {
        Shape = new GptShape(Vocabulary: 1000, Block: 32, Layers: 2, Heads: 4, Width: 128),
        Batch = 4,
        Leaves = 2,
        Steps = 300,
        Seed = ulong.MaxValue,
        Order = RowOrder.Shuffled,
        Optimizer = new OptimizerConfiguration
        {
            LearningRate = 1e-3,
            MinimumLearningRate = 1e-4,
            WarmupSteps = 100,
            WeightDecay = 0.1,
            Beta1 = 0.9,
            Beta2 = 0.99,
            Epsilon = 1e-8,
            GradientClip = 1,
        },
        Dropout = 0.2f,
        ValidationFraction = 0.1,
        EvaluationRows = 80,
        EvaluateEvery = 50,
        Tokenizer = "bpe",
        TokenizerDigest = "aa11",
        DataDigest = "bb22",
        InitialWeightsDigest = "",
    };

    public static readonly RunOptions Options = new() { Workers = 3, ThreadsPerWorker = 2, CheckpointEvery = 100, CheckpointsKept = 4 };
}
