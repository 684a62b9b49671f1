using System.Collections.Concurrent;

namespace Cllm.Benchmarks.Exchange;

/// <summary>
/// What a step costs two processes beside its leaves: reduction, AdamW and the new weights of 124 million parameters, over loopback. It is
/// timed from the last leaf's answer to the moment in which both have all weights of the next step. The messages of coordinator, nodes and
/// shards are in it.
/// </summary>
internal static class ExchangeBenchmark
{
    private const string NodeWord = "exchange-node";
    private const int WarmUp = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(110);

    /// <summary>Runs it: <c>exchange [--steps N] [--shards S] [--leaf-milliseconds D] [--no-copies] [--tcp]</c>.</summary>
    public static int Run(string[] arguments)
    {
        var steps = OtherProcess.Option(arguments, "--steps", 8);
        var settings = new ExchangeSettings(
            OtherProcess.Option(arguments, "--shards", 8),
            OtherProcess.Option(arguments, "--leaf-milliseconds", 0),
            HasCopies: !arguments.Contains("--no-copies"),
            IsOverTcp: arguments.Contains("--tcp"));
        var notes = new ConcurrentQueue<string>();
        using var marks = new BlockingCollection<(int Process, StepMark Mark)>();
        var node = ExchangeNode.Start(null, settings, mark => marks.Add((0, mark)), notes.Enqueue);
        using var other = OtherProcess.Start([NodeWord, $"{node.Port}", .. settings.Words]);
        try
        {
            new Thread(() => Listen(other.StandardOutput, mark => marks.Add((1, mark)))) { IsBackground = true }.Start();
            if (Collect(marks, steps + WarmUp + 1) is not { } all)
            {
                Console.Error.WriteLine($"The two did not do {steps} steps in {Patience.TotalSeconds} s: {string.Join("; ", notes)}");
                return 1;
            }

            Report(all, node.Parameters, settings);
            return 0;
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }
    }

    /// <summary>The other process: takes part until it is killed, or the one that started it has gone.</summary>
    public static int Serve(string[] arguments)
    {
        var settings = ExchangeSettings.Read(arguments.AsSpan(2));
        ExchangeNode.Start(int.Parse(arguments[1]), settings, mark => Console.WriteLine(mark), Console.Error.WriteLine);
        Console.In.ReadToEnd();
        return 0;
    }

    private static void Listen(StreamReader lines, Action<StepMark> tell)
    {
        while (lines.ReadLine() is { } line)
        {
            tell(StepMark.Parse(line));
        }
    }

    /// <summary>The marks of both processes for the first steps; none when they do not come in time.</summary>
    private static StepMark[][]? Collect(BlockingCollection<(int Process, StepMark Mark)> marks, int steps)
    {
        using var late = new CancellationTokenSource(Patience);
        var found = Enumerable.Range(0, steps).Select(_ => new StepMark?[2]).ToArray();
        try
        {
            while (found.Any(step => step.Contains(null)))
            {
                var (process, mark) = marks.Take(late.Token);
                if (mark.Step < steps)
                {
                    found[mark.Step][process] ??= mark;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        return Array.ConvertAll(found, step => Array.ConvertAll(step, mark => mark!.Value));
    }

    private static void Report(StepMark[][] marks, long parameters, ExchangeSettings settings)
    {
        var pairs = marks.Skip(WarmUp).SkipLast(1).Zip(marks.Skip(WarmUp + 1)).ToArray();
        double[] seconds = [.. pairs.Select(pair => StepMark.Seconds(pair.First, pair.Second))];
        var processor = OtherProcess.Median(
            pairs.Select(pair => pair.Second.Sum(mark => mark.ReadyProcessor) - pair.First.Sum(mark => mark.AnsweredProcessor)));
        var gigabytes = OtherProcess.Median(
            pairs.Select(pair => (pair.Second.Sum(mark => mark.Fetched) - pair.First.Sum(mark => mark.Fetched)) / 1e9));
        var median = OtherProcess.Median(seconds);
        Console.WriteLine(
            $"{parameters / 1e6:F1} million parameters in {settings.Shards} shards, 2 processes, {seconds.Length} steps, "
            + $"leaves of {settings.LeafMilliseconds} ms, {(settings.HasCopies ? "with" : "without")} copies"
            + (settings.IsOverTcp ? ", over TCP" : ""));
        Console.WriteLine(
            $"  reduction, AdamW, weights: median {median:F3} s, {seconds.Min():F3} to {seconds.Max():F3} s, "
            + $"{processor:F2} processor seconds in both processes");
        Console.WriteLine($"  {gigabytes:F2} GB fetched a step by both, copies included: {gigabytes / median:F2} GB/s if all in that time");
    }
}
