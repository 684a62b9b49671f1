using System.Globalization;
using System.Text.RegularExpressions;

namespace Cllm.Simulation.Scaling;

/// <summary>What docs/scaling.md states is what the model computes.</summary>
public sealed partial class ScalingDocumentTests
{
    private static readonly ScalingModel Gpt2 = new()
    {
        Parameters = 124.4e6,
        LeafOperations = 1024 * 798e6,
        Leaves = 512,
        Cores = 16,
        CoreRate = 89e9,
        MemoryRate = 200e9,
        NetworkRate = 25e9 / 8,
        RoundTrip = 100e-6,
    };

    private static readonly ScalingModel Shakespeare = new()
    {
        Parameters = 10.8e6,
        LeafOperations = 256 * 67e6,
        Leaves = 64,
        Cores = 2,
        CoreRate = 95e9,
        MemoryRate = 43e9,
        NetworkRate = 1e9 / 8,
        RoundTrip = 300e-6,
    };

    [Fact]
    public void Every_row_of_the_document_is_what_the_model_says()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root(), "docs", "scaling.md"));
        ScalingModel? model = null;
        int rows = 0;
        foreach (string line in lines)
        {
            model = line.StartsWith("## gpt2-124m", StringComparison.Ordinal) ? Gpt2
                : line.StartsWith("## shakespeare", StringComparison.Ordinal) ? Shakespeare
                : line.StartsWith("## ", StringComparison.Ordinal) ? null : model;
            if (model is not null && Row().Match(line) is { Success: true } row)
            {
                int nodes = int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture);
                Assert.Equal(Line(model, nodes), line);
                rows++;
            }
        }

        Assert.Equal(10, rows);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(60)]
    public void A_nodes_traffic_does_not_grow_with_the_nodes_while_each_has_a_shard(int nodes) =>
        Assert.InRange(Gpt2.Transfer(nodes) * Gpt2.NetworkRate, 0, 2 * 4 * Gpt2.Parameters);

    private static string Line(ScalingModel model, int nodes) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {nodes} | {model.Workers(nodes)} | {Time(model.Compute(nodes))} | {Time(model.Transfer(nodes))} | {Time(model.Memory(nodes))} | {Time(model.Latency(nodes))} "
        + $"| {Time(model.Control(nodes))} | {Time(model.Step(nodes))} | {model.Efficiency(nodes) * 100:F0} % |");

    private static string Time(double seconds) => (seconds * 1000).ToString("N0", CultureInfo.InvariantCulture);

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Cllm.Actors.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("This test must lie inside the repository to look at it.");
    }

    [GeneratedRegex(@"^\| (\d+) \|")]
    private static partial Regex Row();
}
