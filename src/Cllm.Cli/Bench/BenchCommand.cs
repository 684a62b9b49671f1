using System.CommandLine;
using Cllm.Cli.Display;
using Cllm.Cli.Parsing;

namespace Cllm.Cli.Bench;

/// <summary>`cllm bench`: this machine's limits, and how close kernels and whole steps come to them.</summary>
public static class BenchCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string?> shape = Values.Word(
            "--shape", "The model to time. [default: the three small ones]", [.. BenchShape.All.Select(bench => bench.Name)]);
        Option<long?> threads = Values.Whole("--threads", "Threads of the steps. [default: 1, then one a core]", 1, 1024);
        Option<long?> leaves = Values.Whole("--leaves", "Leaves of a step; with one, all threads share it. [default: the shape's]", 1, BenchShape.All.Max(bench => bench.Batch));
        var kernels = new Option<bool>("--kernels") { Description = "Limits and kernels only, no whole steps." };
        var steps = new Option<bool>("--steps") { Description = "Limits and whole steps only, no kernels." };
        var recompute = new Option<bool>("--recompute") { Description = "Steps compute activations again in the backward pass." };
        var json = new Option<bool>("--json") { Description = "One JSON object a line instead of tables." };
        var command = new Command("bench", "Time kernels and whole training steps beside what this machine can do.")
        {
            shape, threads, leaves, kernels, steps, recompute, json,
        };
        command.SetAction(parsed =>
        {
            string? name = parsed.GetValue(shape);
            IBenchReport report = parsed.GetValue(json) ? new JsonReport(terminal.Output) : new TableReport(terminal);
            Run(
                report,
                [.. BenchShape.All.Where(bench => name is null ? !bench.IsNamed : bench.Name == name).Select(bench => bench.With(parsed.GetValue(leaves)))],
                parsed.GetValue(threads) is { } given ? [(int)given] : Environment.ProcessorCount == 1 ? [1] : [1, Environment.ProcessorCount],
                wholeSteps: !parsed.GetValue(kernels) || parsed.GetValue(steps),
                kernels: !parsed.GetValue(steps) || parsed.GetValue(kernels),
                parsed.GetValue(recompute));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Run(
        IBenchReport report, IReadOnlyList<BenchShape> shapes, IReadOnlyList<int> threads, bool wholeSteps, bool kernels, bool recompute)
    {
        MachineLimits[] limits = [.. threads.Prepend(1).Distinct().Select(MachineLimits.Measure)];
        report.Limits(limits);
        foreach (BenchShape shape in shapes)
        {
            if (kernels)
            {
                using var suite = new KernelSuite(shape);
                report.Kernels(shape, [.. suite.Cases().Select(kernel => new KernelResult(kernel, Timing.Of(kernel.Run), limits[0]))]);
            }

            foreach (MachineLimits limit in limits.Where(limit => wholeSteps && threads.Contains(limit.Threads)))
            {
                report.Step(StepBench.Run(shape, limit.Threads, limit, recompute));
                if (shape.IsNamed)
                {
                    report.Generate(GenerateBench.Run(shape, limit.Threads));
                }
            }
        }
    }
}
