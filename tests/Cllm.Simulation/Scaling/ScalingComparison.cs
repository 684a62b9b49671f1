using System.Globalization;
using Cllm.Simulation.Scaling.Timed;

namespace Cllm.Simulation.Scaling;

/// <summary>What <see cref="ScalingModel"/> says of a step, beside a simulated run.</summary>
/// <param name="Nodes">Nodes.</param>
/// <param name="Shards">Shards.</param>
/// <param name="Predicted">Seconds of a step by the formulas.</param>
/// <param name="Simulated">Seconds of a step of the simulated run, the median of some.</param>
/// <param name="Notes">What the machines of that run said after its first step.</param>
internal sealed record ScalingComparison(int Nodes, int Shards, double Predicted, double Simulated, IReadOnlyList<string> Notes)
{
    /// <summary>How far the two may be apart.</summary>
    public const double Tolerance = 0.15;

    /// <summary>By how much the simulated step is longer, as a part of the predicted one.</summary>
    public double Difference => (Simulated / Predicted) - 1;

    /// <summary>Simulates a run.</summary>
    /// <param name="model">The stated times.</param>
    /// <param name="nodes">Nodes.</param>
    /// <param name="steps">Steps after the first.</param>
    /// <param name="seed">Which workers are slow.</param>
    public static ScalingComparison Of(ScalingModel model, int nodes, int steps = 3, ulong seed = 1)
    {
        var cluster = new TimedCluster(model, nodes, seed);
        var seconds = cluster.Run(steps);
        Array.Sort(seconds);
        return new(nodes, model.Shards(nodes), model.Step(nodes), seconds[seconds.Length / 2], cluster.Notes);
    }

    /// <summary>Prints all that docs/scaling.md compares.</summary>
    /// <returns>Whether all are as close as they should be.</returns>
    public static bool Print(TextWriter output, ulong seed)
    {
        var areClose = true;
        foreach (var (name, model, counts) in ScalingCases.All)
        {
            output.WriteLine($"{name}\n");
            output.WriteLine("| nodes | shards | predicted, ms | simulated, ms | difference |");
            output.WriteLine("|---|---|---|---|---|");
            foreach (var nodes in counts)
            {
                var comparison = Of(model, nodes, seed: seed);
                areClose &= Math.Abs(comparison.Difference) <= Tolerance;
                output.WriteLine(comparison);
            }

            output.WriteLine();
        }

        foreach (var (name, model, counts) in ScalingCases.All)
        {
            output.WriteLine($"{name}, four shards a node\n");
            foreach (var nodes in counts.Where(nodes => nodes <= 64))
            {
                var comparison = Of(model with { ShardsPerNode = 4 }, nodes, seed: seed);
                areClose &= Math.Abs(comparison.Difference) <= Tolerance;
                output.WriteLine(comparison);
            }

            output.WriteLine();
        }

        return areClose;
    }

    /// <summary>A line of the table.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"| {Nodes} | {Shards} | {Predicted * 1000:N0} | {Simulated * 1000:N0} | {Difference * 100:+0.0;-0.0;0.0} % |");
}
