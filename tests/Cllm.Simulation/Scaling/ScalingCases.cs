using Cllm.Model.Shape;

namespace Cllm.Simulation.Scaling;

/// <summary>The runs of docs/scaling.md.</summary>
internal static class ScalingCases
{
    public static ScalingModel Gpt2 { get; } = new()
    {
        Layout = new(new GptShape(50257, 1024, 12, 12, 768)),
        LeafOperations = 1024 * 798e6,
        Leaves = 512,
        Cores = 16,
        CoreRate = 89e9,
        NetworkRate = 25e9 / 8,
        RoundTrip = 100e-6,
    };

    public static ScalingModel Shakespeare { get; } = new()
    {
        Layout = new(new GptShape(65, 256, 6, 6, 384)),
        LeafOperations = 256 * 67e6,
        Leaves = 64,
        Cores = 2,
        CoreRate = 95e9,
        NetworkRate = 1e9 / 8,
        RoundTrip = 300e-6,
    };

    /// <summary>Name, model, and the numbers of nodes that are tabled.</summary>
    public static (string Name, ScalingModel Model, int[] Nodes)[] All { get; } =
    [
        ("gpt2-124m", Gpt2, [1, 8, 32, 64, 512]),
        ("shakespeare", Shakespeare, [1, 2, 4, 8, 32]),
    ];
}
