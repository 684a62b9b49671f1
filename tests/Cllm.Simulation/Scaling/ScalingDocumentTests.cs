using System.Globalization;
using System.Text.RegularExpressions;

namespace Cllm.Simulation.Scaling;

/// <summary>What docs/scaling.md states is what the model computes, and what simulated runs take.</summary>
public sealed partial class ScalingDocumentTests
{
    /// <summary>A change of the protocol that moves a step by more than this has to be told in the document.</summary>
    private const double DocumentTolerance = 0.03;

    [Fact]
    public void Every_row_of_the_document_is_what_the_model_says()
    {
        var rows = Rows();
        Assert.Equal(ScalingCases.All.Sum(known => known.Nodes.Length), rows.Count);
        foreach (var (name, model, nodes) in ScalingCases.All)
        {
            Assert.All(nodes, count => Assert.StartsWith(Line(model, count), rows[(name, count)]));
        }
    }

    [Theory]
    [InlineData("gpt2-124m", 1)]
    [InlineData("gpt2-124m", 8)]
    [InlineData("gpt2-124m", 32)]
    [InlineData("gpt2-124m", 64)]
    [InlineData("gpt2-124m", 512)]
    [InlineData("shakespeare", 1)]
    [InlineData("shakespeare", 2)]
    [InlineData("shakespeare", 4)]
    [InlineData("shakespeare", 8)]
    [InlineData("shakespeare", 32)]
    public void A_simulated_run_takes_what_the_model_and_the_document_say(string name, int nodes)
    {
        var model = Array.Find(ScalingCases.All, known => known.Name == name).Model;
        var run = ScalingComparison.Of(model, nodes, steps: nodes > 100 ? 1 : 3);
        Assert.InRange(run.Difference, -ScalingComparison.Tolerance, ScalingComparison.Tolerance);
        var told = double.Parse(Simulated().Match(Rows()[(name, nodes)]).Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture) / 1000;
        Assert.InRange(told / run.Simulated, 1 - DocumentTolerance, 1 + DocumentTolerance);
        Assert.DoesNotContain(run.Notes, note => note.Contains("leased the same", StringComparison.Ordinal) || note.Contains("is lost", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(32)]
    public void A_simulated_run_with_several_shards_a_node_takes_what_the_model_says(int nodes)
    {
        var run = ScalingComparison.Of(ScalingCases.Shakespeare with { ShardsPerNode = 4 }, nodes);
        Assert.InRange(run.Difference, -ScalingComparison.Tolerance, ScalingComparison.Tolerance);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(60)]
    public void A_simulated_run_with_fewer_shards_than_nodes_takes_what_the_model_says(int shards)
    {
        var run = ScalingComparison.Of(ScalingCases.Gpt2 with { ShardsMax = shards }, 128, steps: 1);
        Assert.InRange(run.Difference, -ScalingComparison.Tolerance, ScalingComparison.Tolerance);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(512)]
    public void A_nodes_traffic_does_not_grow_with_the_nodes_while_each_has_a_shard(int nodes)
    {
        var model = ScalingCases.Gpt2;
        Assert.InRange(model.Transfer(nodes) * model.NetworkRate, 0, 2 * 4 * model.Parameters);
    }

    private static string Line(ScalingModel model, int nodes) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {nodes} | {model.Workers(nodes)} | {Time(model.Compute(nodes))} | {Time(model.Transfer(nodes))} | {Time(model.Add(nodes))} | {Time(model.Latency(nodes))} "
        + $"| {Time(model.Control(nodes))} | {Time(model.Step(nodes))} | {model.Efficiency(nodes) * 100:F0} % |");

    private static string Time(double seconds) => (seconds * 1000).ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The rows of the tables, by the section they are in and their number of nodes.</summary>
    private static Dictionary<(string Name, int Nodes), string> Rows()
    {
        var rows = new Dictionary<(string, int), string>();
        var section = "";
        foreach (var line in File.ReadAllLines(Path.Combine(Root(), "docs", "scaling.md")))
        {
            section = line.StartsWith("## ", StringComparison.Ordinal) ? line[3..] : section;
            if (Row().Match(line) is { Success: true } row)
            {
                rows.Add((section, int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture)), line);
            }
        }

        return rows;
    }

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

    [GeneratedRegex(@"([\d,]+) \|$")]
    private static partial Regex Simulated();
}
