using Cllm.Cli.Display;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Run;

namespace Cllm.Cli.Train;

/// <summary>Compares what a process is about to need with what there is, before it allocates: the system would end it without a word.</summary>
/// <param name="need">What is needed.</param>
/// <param name="options">How the run is spread in this process.</param>
/// <param name="advice">What needs less, as options; asked for only where there is something to say.</param>
public sealed class MemoryCheck(MemoryNeed need, RunOptions options, string advice)
{
    /// <summary>From this share of the memory on there may be too little, for the system and others need some.</summary>
    private const double CloseShare = 0.8;

    /// <summary>The share of all memory from which on the runtime calls it scarce, unless it is told otherwise.</summary>
    private const double HighLoadShare = 0.9;

    /// <summary>Memory of this machine, or what its container allows.</summary>
    /// <remarks>Of a container's memory the runtime calls three quarters available, for its own heap; its threshold is a share of the whole.</remarks>
    public static long MachineBytes
    {
        get
        {
            GCMemoryInfo memory = GC.GetGCMemoryInfo();
            return Math.Max(memory.TotalAvailableMemoryBytes, (long)(memory.HighMemoryLoadThresholdBytes / HighLoadShare));
        }
    }

    /// <summary>Checks a process that trains in a folder of its own.</summary>
    /// <param name="run">The run.</param>
    /// <param name="options">How it is spread in this process.</param>
    /// <param name="isNew">Whether the run begins now, so that all of it may still be changed.</param>
    public static MemoryCheck OfRun(RunConfiguration run, RunOptions options, bool isNew)
    {
        List<string> advice = Spread(options);
        if (isNew)
        {
            advice.Add(run.Batch > run.Leaves ? "more --leaves, a smaller --batch" : "a smaller --block");
            advice.Add("a smaller --width or --layers");
        }

        return new MemoryCheck(MemoryNeed.Of(run, options), options, Joined(advice));
    }

    /// <summary>Checks a process that takes part in another one's run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="options">How it is spread in this process.</param>
    public static MemoryCheck OfNode(RunConfiguration run, RunOptions options) =>
        new(MemoryNeed.Of(run, options, workersElsewhere: 1), options, Joined(Spread(options)));

    /// <summary>Refuses what cannot fit.</summary>
    /// <param name="warn">Told when it is close.</param>
    /// <exception cref="InputException">Training needs more than there is.</exception>
    public void Require(Action<string> warn) => Require(MachineBytes, warn);

    /// <summary>Refuses what cannot fit.</summary>
    /// <param name="machineBytes">What there is.</param>
    /// <param name="warn">Told when it is close.</param>
    /// <exception cref="InputException">Training needs more than there is.</exception>
    public void Require(long machineBytes, Action<string> warn)
    {
        if (need.TrainingBytes > machineBytes)
        {
            throw new InputException($"{Sentence(need.TrainingBytes, "", machineBytes)}; {advice} needs less.");
        }

        if (need.Bytes > CloseShare * machineBytes)
        {
            warn($"{Sentence(need.Bytes, $", {Size(need.StateBytes)} the copy of which checkpoints are written", machineBytes)}, so it may become slow or be ended by the system; {advice} needs less.");
        }
    }

    private string Sentence(long bytes, string more, long machineBytes) =>
        $"This takes about {Size(bytes)} of memory ({Size(need.StateBytes)} weights and moments, {Size(need.GradientBytes)} gradients and "
        + $"{Size(need.ActivationBytes)} activations of {Format.Plural(options.Workers, "worker")}{more}) and the machine or its container has {Size(machineBytes)}";

    /// <summary>What may be given anew each time, for it changes no bit.</summary>
    private static List<string> Spread(RunOptions options)
    {
        var advice = new List<string>();
        if (options.Workers > 1)
        {
            advice.Add($"fewer --workers, each with more threads (--workers 1 --threads-per-worker {options.Threads})");
        }

        if (!options.Recompute)
        {
            advice.Add("--recompute");
        }

        return advice;
    }

    private static string Size(long bytes) => Format.Bytes(bytes);

    private static string Joined(List<string> advice) => advice.Count switch
    {
        0 => "a smaller model",
        1 => advice[0],
        _ => $"{string.Join(", ", advice[..^1])} or {advice[^1]}",
    };
}
