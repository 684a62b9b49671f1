using System.Text.Json;
using System.Text.Json.Nodes;
using Cllm.Numerics.Kernels;

namespace Cllm.Cli.Bench;

/// <summary>One JSON object a line. Names are kept; new ones may be added.</summary>
internal sealed class JsonReport(TextWriter output) : IBenchReport
{
    private static readonly string[] PhaseNames = ["forward", "backward", "reduce", "adamw", "wait"];

    /// <inheritdoc/>
    public void Limits(IReadOnlyList<MachineLimits> limits)
    {
        foreach (MachineLimits limit in limits)
        {
            Write(new JsonObject
            {
                ["kind"] = "limit",
                ["threads"] = limit.Threads,
                ["vector_bits"] = FmaLoop.VectorBits,
                ["fma_limit_gflop_per_second"] = Round(limit.GflopPerSecond),
                ["copy_gb_per_second"] = Round(limit.CopyGbPerSecond),
                ["triad_gb_per_second"] = Round(limit.TriadGbPerSecond),
            });
        }
    }

    /// <inheritdoc/>
    public void Kernels(BenchShape shape, IReadOnlyList<KernelResult> kernels)
    {
        foreach (KernelResult kernel in kernels)
        {
            Write(new JsonObject
            {
                ["kind"] = "kernel",
                ["name"] = kernel.Case.Name,
                ["shape"] = shape.Name,
                ["size"] = kernel.Case.Size,
                [kernel.Case.IsProduct ? "gflop_per_second" : "gb_per_second"] = Round(kernel.Rate),
                ["share_of_limit"] = Round(kernel.Share),
                ["us_median"] = Round(kernel.Timing.Median * 1e6),
                ["us_min"] = Round(kernel.Timing.Minimum * 1e6),
                ["us_max"] = Round(kernel.Timing.Maximum * 1e6),
                ["calls_per_step"] = kernel.Case.Calls,
            });
        }
    }

    /// <inheritdoc/>
    public void Step(StepResult step)
    {
        var phases = new JsonObject();
        foreach ((string name, double milliseconds) in PhaseNames.Zip(step.Phases))
        {
            phases[name] = Round(milliseconds);
        }

        Write(new JsonObject
        {
            ["kind"] = "step",
            ["shape"] = step.Shape.Name,
            ["leaves"] = step.Shape.Leaves,
            ["workers"] = step.Workers,
            ["threads"] = step.Workers * step.ThreadsPerWorker,
            ["steps"] = step.Timing.Seconds.Length,
            ["ms_median"] = Round(step.Timing.Median * 1e3),
            ["ms_min"] = Round(step.Timing.Minimum * 1e3),
            ["ms_max"] = Round(step.Timing.Maximum * 1e3),
            ["processor_ms"] = Round(step.ProcessorMilliseconds),
            ["tokens_per_second"] = Round(step.TokensPerSecond),
            ["best_tokens_per_second"] = Round(step.BestTokensPerSecond),
            ["gflop_per_second"] = Round(step.GflopPerSecond),
            ["fma_limit_gflop_per_second"] = Round(step.Limit.GflopPerSecond),
            ["share_of_limit"] = Round(step.GflopPerSecond / step.Limit.GflopPerSecond),
            ["phases_ms"] = phases,
            ["allocated_bytes_per_step"] = step.AllocatedBytesPerStep,
            ["peak_rss_mib"] = Round(step.PeakMiB),
        });
    }

    /// <inheritdoc/>
    public void Generate(GenerateResult generate) => Write(new JsonObject
    {
        ["kind"] = "generate",
        ["shape"] = generate.Shape.Name,
        ["threads"] = generate.Threads,
        ["ms_median"] = Round(generate.Timing.Median * 1e3),
        ["ms_min"] = Round(generate.Timing.Minimum * 1e3),
        ["ms_max"] = Round(generate.Timing.Maximum * 1e3),
        ["tokens_per_second"] = Round(1 / generate.Timing.Median),
        ["gb_per_second"] = Round(generate.GbPerSecond),
        ["read_gb_per_second"] = Round(generate.ReadGbPerSecond),
        ["share_of_limit"] = Round(generate.Share),
    });

    private static double Round(double value) => Math.Round(value, 4);

    private void Write(JsonObject line) => output.WriteLine(line.ToJsonString(JsonSerializerOptions.Default));
}
