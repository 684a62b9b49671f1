using Cllm.Cli.Display;
using Cllm.Numerics.Kernels;
using Spectre.Console;

namespace Cllm.Cli.Bench;

/// <summary>Tables for a person.</summary>
internal sealed class TableReport(Terminal terminal) : IBenchReport
{
    private const double Mebi = 1 << 20;

    /// <inheritdoc/>
    public void Limits(IReadOnlyList<MachineLimits> limits)
    {
        terminal.Heading($"This machine's limits, vectors of {FmaLoop.VectorBits} bits");
        Write(
            ["threads", "FMA GFLOP/s", "copy GB/s", "triad GB/s"],
            limits.Select(limit => new[]
            {
                $"{limit.Threads}", $"{limit.GflopPerSecond:F1}", $"{limit.CopyGbPerSecond:F1}", $"{limit.TriadGbPerSecond:F1}",
            }));
    }

    /// <inheritdoc/>
    public void Kernels(BenchShape shape, IReadOnlyList<KernelResult> kernels)
    {
        double all = kernels.Sum(kernel => kernel.StepMilliseconds);
        terminal.Heading($"Kernels of a step of {shape.Name}, one thread, best of 31; {all:F2} ms in all");
        Write(
            ["kernel", "size", "GFLOP/s", "GB/s", "of limit", "median µs", "ms a step", "of step"],
            kernels.Select(kernel => new[]
            {
                kernel.Case.Name,
                kernel.Case.Size,
                kernel.Case.IsProduct ? $"{kernel.Rate:F1}" : "",
                kernel.Case.IsProduct ? "" : $"{kernel.Rate:F1}",
                $"{kernel.Share:P0}",
                $"{kernel.Timing.Median * 1e6:F1}",
                $"{kernel.StepMilliseconds:F3}",
                $"{kernel.StepMilliseconds / all:P1}",
            }));
    }

    /// <inheritdoc/>
    public void Step(StepResult step)
    {
        Timing timing = step.Timing;
        double[] phases = step.Phases;
        terminal.Heading(
            $"Steps of {step.Shape.Name}: {Format.Plural(step.Workers, "worker")} with {Format.Plural(step.ThreadsPerWorker, "thread")} each, "
            + $"{step.Shape.Batch} x {step.Shape.Shape.Block} tokens in {Format.Plural(step.Shape.Leaves, "leaf").Replace("leafs", "leaves", StringComparison.Ordinal)}");
        terminal.Table(
        [
            ("tokens a second", $"{Format.Count(step.TokensPerSecond)} (fastest step {Format.Count(step.BestTokensPerSecond)})"),
            ("of the FMA limit", $"{step.GflopPerSecond / step.Limit.GflopPerSecond:P1}: {step.GflopPerSecond:F1} of {step.Limit.GflopPerSecond:F1} GFLOP/s"),
            ("step", $"median {timing.Median * 1e3:F2} ms, {timing.Minimum * 1e3:F2} to {timing.Maximum * 1e3:F2}, of {timing.Seconds.Length}; {step.ProcessorMilliseconds:F2} ms of processor time"),
            ("of that", $"forward {phases[0]:F2}, backward {phases[1]:F2}, reduce {phases[2]:F2}, AdamW {phases[3]:F2}, waiting {phases[4]:F2} ms"),
            ("allocated", $"{Format.Count(step.AllocatedBytesPerStep)} bytes a step on the managed heap"),
            ("peak memory", $"{step.PeakMiB:F0} MiB: {string.Join(", ", step.Memory.Select(part => $"{part.Name} {part.Bytes / Mebi:F1}"))}, the rest the runtime"),
        ]);
    }

    /// <inheritdoc/>
    public void Generate(GenerateResult generate)
    {
        terminal.Heading($"Generation with {generate.Shape.Name}, {Format.Plural(generate.Threads, "thread")}");
        terminal.Table(
        [
            ("tokens a second", $"{1 / generate.Timing.Median:F1}"),
            ("of reading alone", $"{generate.Share:P1}: {generate.GbPerSecond:F1} of {generate.ReadGbPerSecond:F1} GB/s, weights read in turn with tokens"),
            ("token", $"median {generate.Timing.Median * 1e3:F2} ms, {generate.Timing.Minimum * 1e3:F2} to {generate.Timing.Maximum * 1e3:F2}"),
        ]);
    }

    private void Write(string[] columns, IEnumerable<string[]> rows)
    {
        string[][] lines = [.. rows];
        if (terminal.Live is null)
        {
            int[] widths = [.. columns.Select((name, i) => Math.Max(name.Length, lines.Max(line => line[i].Length)) + 2)];
            foreach (string[] line in lines.Prepend(columns))
            {
                terminal.Say("  " + string.Concat(line.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
            }

            return;
        }

        var table = new Table().Border(TableBorder.Rounded);
        for (int i = 0; i < columns.Length; i++)
        {
            var column = new TableColumn(Markup.Escape(columns[i]));
            table.AddColumn(i == 0 ? column : column.RightAligned());
        }

        foreach (string[] line in lines)
        {
            table.AddRow(line.Select(cell => new Text(cell)));
        }

        terminal.Live.Write(table);
    }
}
