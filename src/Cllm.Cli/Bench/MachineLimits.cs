using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Cli.Bench;

/// <summary>What this machine can do at best, measured: multiply-adds in registers, and streams through memory.</summary>
/// <param name="Threads">Threads of the measurement.</param>
/// <param name="GflopPerSecond">Fused multiply-adds at the products' vector width, two operations each.</param>
/// <param name="CopyGbPerSecond">Copy between buffers larger than the caches: bytes read and written.</param>
/// <param name="TriadGbPerSecond">x + f y to a third buffer with non-temporal stores: bytes read and written.</param>
internal sealed record MachineLimits(int Threads, double GflopPerSecond, double CopyGbPerSecond, double TriadGbPerSecond)
{
    private const long Rounds = 100_000;
    private const int StreamFloats = 16 * 1024 * 1024;

    /// <summary>The better of the two streams.</summary>
    public double GbPerSecond => Math.Max(CopyGbPerSecond, TriadGbPerSecond);

    /// <summary>Measures with a number of threads at once.</summary>
    public static MachineLimits Measure(int threads)
    {
        using var team = new ThreadTeam(threads);
        using AlignedBuffer x = Filled(1), y = Filled(2), sum = Filled(0);
        double flops = 24.0 * FmaLoop.VectorBits / 32 * Rounds * threads;
        return new MachineLimits(
            threads,
            flops / Best(team, new Part((_, _) => FmaLoop.Run(Rounds))) / 1e9,
            8.0 * StreamFloats / Best(team, new Part((first, count) => x.Span.Slice(first, count).CopyTo(sum.Span[first..]))) / 1e9,
            12.0 * StreamFloats / Best(team, new Part((first, count) =>
                StreamLoop.Triad(x.Span.Slice(first, count), y.Span.Slice(first, count), 0.5f, sum.Span.Slice(first, count)))) / 1e9);
    }

    private static double Best(ThreadTeam team, Part part) => Timing.Of(() => team.Run(part)).Minimum;

    private static AlignedBuffer Filled(float value)
    {
        var buffer = new AlignedBuffer(StreamFloats);
        buffer.Span.Fill(value);
        return buffer;
    }

    private sealed class Part(Action<int, int> run) : ITeamProgram
    {
        public void Run(ThreadTeam team, int member)
        {
            (int first, int count) = team.Part(member, StreamFloats, 16);
            run(first, count);
        }
    }
}
