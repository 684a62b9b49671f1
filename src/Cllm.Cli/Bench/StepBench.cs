using System.Diagnostics;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;

namespace Cllm.Cli.Bench;

/// <summary>Times whole steps through the real trainer: its actors, machines, workers, shards and buffers.</summary>
internal static class StepBench
{
    private const double TargetSeconds = 3;
    private const int StepsMin = 5;
    private const int StepsMax = 400;

    /// <summary>Runs the steps.</summary>
    /// <param name="shape">What is trained.</param>
    /// <param name="cores">Threads in all.</param>
    /// <param name="limit">The limit of so many threads.</param>
    /// <param name="recompute">Whether the backward pass computes activations again.</param>
    public static StepResult Run(BenchShape shape, int cores, MachineLimits limit, bool recompute)
    {
        (int workers, int threads) = shape.Split(cores);
        int steps = (int)Math.Clamp(TargetSeconds * 0.6e9 * limit.GflopPerSecond / shape.Flops, StepsMin, StepsMax) | 1;
        int warmUp = Math.Max(2, steps / 5);
        PeakMemory.Reset();
        using var host = new BenchHost(shape.Plan(warmUp + steps), threads, recompute);
        var recorder = new Recorder(host, warmUp, steps);
        var settings = new LocalTrainingSettings
        {
            Leaves = shape.Leaves,
            Steps = warmUp + steps,
            Workers = workers,
            Shards = workers * threads,
        };
        TrainingEnd end = LocalTraining.RunAsync(settings, host, recorder, CancellationToken.None).GetAwaiter().GetResult();
        return end.Outcome == RunOutcome.Finished
            ? recorder.Result(shape, workers, threads, limit)
            : throw new InvalidOperationException($"the trainer ended early: {end.Sentence}");
    }

    /// <summary>Reads the clock and the phases at the end of every step; allocates nothing on the way.</summary>
    private sealed class Recorder(BenchHost host, int warmUp, int steps) : ITrainingObserver
    {
        private static readonly Phase[] Phases = Enum.GetValues<Phase>();

        private readonly long[] _times = new long[steps + 1];
        private readonly double[][] _phases = [.. Enumerable.Range(0, steps + 1).Select(_ => new double[Phases.Length])];
        private long _allocatedBefore;
        private long _allocated;
        private TimeSpan _processor;
        private double _peakMiB;
        private IReadOnlyList<(string, long)> _memory = [];

        public void StepDone(long step, StepScalars scalars, TimeSpan elapsed)
        {
            long index = step + 1 - warmUp;
            if (index < 0)
            {
                return;
            }

            if (index == steps)
            {
                _processor = Environment.CpuUsage.TotalTime - _processor;
                _allocated = GC.GetTotalAllocatedBytes(precise: true) - _allocatedBefore;
            }

            _times[index] = Stopwatch.GetTimestamp();
            for (int phase = 0; phase < Phases.Length; phase++)
            {
                _phases[index][phase] = host.Milliseconds(Phases[phase]);
            }

            if (index == 0)
            {
                _processor = Environment.CpuUsage.TotalTime;
                _allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
            }
            else if (index == steps)
            {
                _peakMiB = PeakMemory.MiB();
                _memory = host.Memory;
            }
        }

        public void EvaluationDone(long step, double loss)
        {
        }

        public void CheckpointDone(long step, string digest)
        {
        }

        public void Note(string reason)
        {
        }

        public void Failed(string sentence)
        {
        }

        public StepResult Result(BenchShape shape, int workers, int threads, MachineLimits limit)
        {
            double[] seconds = [.. Enumerable.Range(0, steps).Select(i => Stopwatch.GetElapsedTime(_times[i], _times[i + 1]).TotalSeconds)];
            var timing = Timing.Of(seconds);
            int median = Array.IndexOf(seconds, timing.Median);
            double[] phases = [.. Phases.Select((_, phase) => _phases[median + 1][phase] - _phases[median][phase])];
            return new StepResult
            {
                Shape = shape,
                Workers = workers,
                ThreadsPerWorker = threads,
                Limit = limit,
                Timing = timing,
                Phases = [.. phases, Math.Max(0, (timing.Median * 1e3) - phases.Sum())],
                AllocatedBytesPerStep = _allocated / steps,
                ProcessorMilliseconds = _processor.TotalMilliseconds / steps,
                PeakMiB = _peakMiB,
                Memory = _memory,
            };
        }
    }
}

/// <summary>Whole steps of one shape on so many threads.</summary>
internal sealed record StepResult
{
    /// <summary>What was trained.</summary>
    public required BenchShape Shape { get; init; }

    /// <summary>Workers.</summary>
    public required int Workers { get; init; }

    /// <summary>Threads of each worker.</summary>
    public required int ThreadsPerWorker { get; init; }

    /// <summary>Limits of so many threads.</summary>
    public required MachineLimits Limit { get; init; }

    /// <summary>Steps, from the end of one to the end of the next.</summary>
    public required Timing Timing { get; init; }

    /// <summary>Milliseconds of the median step: forward, backward, reduce, AdamW, and the rest, waiting.</summary>
    public required double[] Phases { get; init; }

    /// <summary>Bytes allocated on the managed heap in a step.</summary>
    public required long AllocatedBytesPerStep { get; init; }

    /// <summary>Processor time of a step, of all threads: on a busy machine more telling than the clock.</summary>
    public required double ProcessorMilliseconds { get; init; }

    /// <summary>Peak resident set.</summary>
    public required double PeakMiB { get; init; }

    /// <summary>What it consists of.</summary>
    public required IReadOnlyList<(string Name, long Bytes)> Memory { get; init; }

    /// <summary>Tokens a second at the median.</summary>
    public double TokensPerSecond => Shape.Tokens / Timing.Median;

    /// <summary>Tokens a second of the fastest step.</summary>
    public double BestTokensPerSecond => Shape.Tokens / Timing.Minimum;

    /// <summary>Floating-point rate at the median.</summary>
    public double GflopPerSecond => Shape.Flops / Timing.Median / 1e9;
}
