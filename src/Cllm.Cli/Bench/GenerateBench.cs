using System.Diagnostics;
using Cllm.Model.Compute;
using Cllm.Model.Generation;
using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Cli.Bench;

/// <summary>
/// Times the tokens of a generation with cached keys and values, in turn with a plain sum over the same weights: a token reads every weight but the position
/// embeddings once, so that sum is its limit, and what other programs do to the memory meanwhile they do to both.
/// </summary>
internal static class GenerateBench
{
    private const int WarmUp = 4;
    private const int Tokens = 40;

    /// <summary>Generates behind an empty prompt.</summary>
    /// <param name="bench">The model.</param>
    /// <param name="threads">Threads of both.</param>
    public static GenerateResult Run(BenchShape bench, int threads)
    {
        var layout = new ParameterLayout(bench.Shape);
        using var weights = new AlignedBuffer(layout.Length);
        InitialWeights.Draw(layout, 1, weights.Span);
        using var decoder = new GptDecoder(layout, weights, threads);
        using var team = new ThreadTeam(threads);
        var reading = new Reading(weights, layout.Length - (bench.Shape.Block * bench.Shape.Width));
        int tokens = Math.Min(Tokens, bench.Shape.Block - WarmUp);
        double[] tokenSeconds = new double[tokens], readSeconds = new double[tokens];
        int[] id = [1];
        for (int i = -WarmUp; i < tokens; i++)
        {
            long began = Stopwatch.GetTimestamp();
            decoder.Read(id);
            long turned = Stopwatch.GetTimestamp();
            team.Run(reading);
            if (i >= 0)
            {
                tokenSeconds[i] = Stopwatch.GetElapsedTime(began, turned).TotalSeconds;
                readSeconds[i] = Stopwatch.GetElapsedTime(turned).TotalSeconds;
            }
        }

        return new GenerateResult(bench, threads, Timing.Of(tokenSeconds), Timing.Of(readSeconds), sizeof(float) * (double)reading.Floats);
    }

    private sealed class Reading(AlignedBuffer weights, int floats) : ITeamProgram
    {
        public int Floats => floats;

        public void Run(ThreadTeam team, int member)
        {
            (int first, int count) = team.Part(member, floats, 64);
            StreamLoop.Read(weights.Span.Slice(first, count));
        }
    }
}

/// <summary>Tokens generated one by one.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Timing">Time of a token.</param>
/// <param name="Reading">Time of a sum over the weights.</param>
/// <param name="Bytes">Bytes of weights that either reads.</param>
internal sealed record GenerateResult(BenchShape Shape, int Threads, Timing Timing, Timing Reading, double Bytes)
{
    /// <summary>Bytes of weights read a second by a token, in units of 10^9.</summary>
    public double GbPerSecond => Bytes / Timing.Median / 1e9;

    /// <summary>Bytes read a second by the sum, in units of 10^9.</summary>
    public double ReadGbPerSecond => Bytes / Reading.Median / 1e9;

    /// <summary>The one, of the other.</summary>
    public double Share => Reading.Median / Timing.Median;
}
