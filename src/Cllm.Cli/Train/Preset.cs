namespace Cllm.Cli.Train;

/// <summary>Plans with a name. Options override single values of them.</summary>
public static class Preset
{
    /// <summary>What a run without --preset uses: a few minutes on two cores.</summary>
    public static TrainPlan Default { get; } = new() { Width = 192, Layers = 4, Heads = 4, Block = 128, Batch = 16, Steps = 1200 };

    private static readonly Dictionary<string, TrainPlan> All = new()
    {
        ["seed"] = new TrainPlan { Vocabulary = 1000, Width = 128, Layers = 2, Heads = 4, Batch = 4, Block = 32, Leaves = 4 },
        ["shakespeare-cpu"] = new TrainPlan { Tokenizer = "char", Width = 128, Layers = 4, Heads = 4, Block = 64, Batch = 12 },
        ["shakespeare"] = new TrainPlan
        {
            Tokenizer = "char",
            Width = 384,
            Layers = 6,
            Heads = 6,
            Block = 256,
            Batch = 64,
            Steps = 5000,
            Dropout = 0.2,
        },
        ["gpt2-124m"] = new TrainPlan
        {
            Vocabulary = 50257,
            Width = 768,
            Layers = 12,
            Heads = 12,
            Block = 1024,
            Batch = 8,
            LearningRate = 6e-4,
            MinimumLearningRate = 6e-5,
            Beta2 = 0.95,
        },
    };

    /// <summary>The names, as --preset takes them.</summary>
    public static IReadOnlyCollection<string> Names => All.Keys;

    /// <summary>The plan of that name; the default for none.</summary>
    public static TrainPlan Named(string? name) => name is null ? Default : All[name];
}
