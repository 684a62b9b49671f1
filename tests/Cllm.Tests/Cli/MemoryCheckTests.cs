using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Run;

namespace Cllm.Tests.Cli;

public sealed class MemoryCheckTests
{
    private static readonly MemoryNeed Need = new(3_000_000_000, 4_000_000_000, 500_000_000);

    private static readonly RunOptions TwoWorkers = new() { Workers = 2, ThreadsPerWorker = 3, CheckpointEvery = 0 };

    [Fact]
    public void What_cannot_fit_is_refused_with_its_parts_and_what_needs_less()
    {
        InputException refusal = Assert.Throws<InputException>(() => Check(Need, 7_400_000_000));
        Assert.Equal(
            "This takes about 7.5 GB of memory (3.0 GB weights and moments, 4.0 GB gradients and 500 MB activations of 2 workers) "
            + "and the machine or its container has 7.4 GB; --recompute needs less.",
            refusal.Message);
    }

    [Fact]
    public void What_may_not_fit_is_warned_of()
    {
        Assert.Contains("3.0 GB the copy of which checkpoints are written) and the machine or its container has 7.5 GB, so it may", Check(Need, 7_500_000_000));
        Assert.NotNull(Check(Need, 13_000_000_000));
    }

    [Fact]
    public void What_fits_is_nothing_to_speak_of() => Assert.Null(Check(Need, 13_200_000_000));

    [Fact]
    public void This_machine_has_some_memory() => Assert.InRange(MemoryCheck.MachineBytes, 100_000_000, long.MaxValue);

    [Fact]
    public void Advice_is_what_the_run_may_still_change()
    {
        TrainPlan plan = Said.Plan("--preset", "seed");
        RunConfiguration run = plan.Configure(1000, "bpe", "t", "d", "");
        Assert.Equal(
            "fewer --workers, each with more threads (--workers 1 --threads-per-worker 6), --recompute, a smaller --block or a smaller --width or --layers",
            Advice(MemoryCheck.OfRun(run, TwoWorkers, isNew: true)));
        Assert.Equal("--recompute", Advice(MemoryCheck.OfRun(run, TwoWorkers with { Workers = 1 }, isNew: false)));
        Assert.Equal("a smaller model", Advice(MemoryCheck.OfRun(run, TwoWorkers with { Workers = 1, Recompute = true }, isNew: false)));
        Assert.Equal(
            "fewer --workers, each with more threads (--workers 1 --threads-per-worker 6) or --recompute", Advice(MemoryCheck.OfNode(run, TwoWorkers)));
    }

    private static string? Check(MemoryNeed need, long machineBytes)
    {
        string? said = null;
        new MemoryCheck(need, TwoWorkers, "--recompute").Require(machineBytes, sentence => said = sentence);
        return said;
    }

    private static string Advice(MemoryCheck check)
    {
        string sentence = Assert.Throws<InputException>(() => check.Require(1, _ => { })).Message;
        return sentence[(sentence.IndexOf("; ", StringComparison.Ordinal) + 2)..].Replace(" needs less.", "");
    }
}
