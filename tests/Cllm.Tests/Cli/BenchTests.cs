using System.Text.Json;
using Cllm.Cli;
using Cllm.Cli.Bench;
using Cllm.Model;

namespace Cllm.Tests.Cli;

public class BenchTests
{
    private static readonly string[] StepFields =
    [
        "kind", "shape", "workers", "threads", "steps", "ms_median", "ms_min", "ms_max", "tokens_per_second", "best_tokens_per_second", "gflop_per_second",
        "fma_limit_gflop_per_second", "share_of_limit", "phases_ms", "allocated_bytes_per_step", "peak_rss_mib",
    ];

    /// <summary>Also the proof that two workers really train: their steps come out of the trainer.</summary>
    [Fact]
    public void A_line_of_json_holds_the_fields_that_scripts_read()
    {
        Said said = Said.By("bench", "--shape", "seed", "--threads", "2", "--json");
        Assert.Equal(ExitCode.Success, said.Code);
        JsonElement[] lines = [.. said.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement step = Assert.Single(lines, line => Kind(line) == "step");
        Assert.All(StepFields, name => Assert.True(step.TryGetProperty(name, out _), name));
        Assert.Equal(2, step.GetProperty("workers").GetInt32());
        Assert.Equal(2, step.GetProperty("threads").GetInt32());
        Assert.Equal(
            ["forward", "backward", "reduce", "adamw", "wait"], step.GetProperty("phases_ms").EnumerateObject().Select(phase => phase.Name));
        JsonElement[] kernels = [.. lines.Where(line => Kind(line) == "kernel")];
        Assert.NotEmpty(kernels);
        Assert.All(kernels, kernel =>
        {
            Assert.True(kernel.TryGetProperty("name", out _) && kernel.TryGetProperty("size", out _) && kernel.TryGetProperty("share_of_limit", out _));
            Assert.True(kernel.TryGetProperty("gflop_per_second", out _) ^ kernel.TryGetProperty("gb_per_second", out _));
        });
    }

    [Fact]
    public void Steps_alone_are_timed_without_kernels()
    {
        Said said = Said.By("bench", "--shape", "seed", "--threads", "1", "--steps", "--json");
        Assert.Equal(ExitCode.Success, said.Code);
        Assert.Contains("\"kind\":\"step\"", said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\"kind\":\"kernel\"", said.Output, StringComparison.Ordinal);
    }

    /// <summary>tokens * (6 * (12 * layers * width^2 + vocabulary * width) + 6 * layers * width * (block + 1)), by hand.</summary>
    [Theory]
    [InlineData("seed", 128.0 * ((6 * ((12 * 2 * 16384) + 128000)) + (6 * 2 * 128 * 33)))]
    [InlineData("gpt2-1024", 1024.0 * ((6 * ((12.0 * 12 * 589824) + (50257 * 768))) + (6 * 12 * 768 * 1025)))]
    public void The_work_of_a_step_is_counted_as_documented(string name, double flops) =>
        Assert.Equal(flops, BenchShape.Named(name).Flops);

    [Theory]
    [InlineData("seed", 1, 1, 1)]
    [InlineData("seed", 2, 2, 1)]
    [InlineData("seed", 6, 2, 3)]
    [InlineData("seed", 7, 1, 7)]
    [InlineData("shakespeare", 16, 4, 4)]
    [InlineData("gpt2-1024", 8, 1, 8)]
    public void Cores_become_workers_while_there_are_leaves_for_them(string name, int cores, int workers, int threads) =>
        Assert.Equal((workers, threads), BenchShape.Named(name).Split(cores));

    [Fact]
    public void Leaves_may_be_chosen_up_to_one_a_row()
    {
        BenchShape shape = BenchShape.Named("gpt2");
        Assert.Equal((1, 2), shape.With(1).Split(2));
        Assert.Equal(shape.Leaves, shape.With(null).Leaves);
        string sentence = Assert.Throws<InputException>(() => shape.With(5)).Message;
        Assert.Contains("at most 4 leaves", sentence, StringComparison.Ordinal);
    }

    private static string? Kind(JsonElement line) => line.GetProperty("kind").GetString();
}
