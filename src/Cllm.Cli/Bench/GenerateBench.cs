using Cllm.Model.Compute;
using Cllm.Model.Generation;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Cli.Bench;

/// <summary>Times the tokens of a generation with cached keys and values. A token reads every weight but the embeddings once.</summary>
internal static class GenerateBench
{
    private const int WarmUp = 4;
    private const int Tokens = 40;

    /// <summary>Generates behind an empty prompt.</summary>
    /// <param name="bench">The model.</param>
    /// <param name="limit">The limit of so many threads.</param>
    public static GenerateResult Run(BenchShape bench, MachineLimits limit)
    {
        var layout = new ParameterLayout(bench.Shape);
        using var weights = new AlignedBuffer(layout.Length);
        InitialWeights.Draw(layout, 1, weights.Span);
        using var decoder = new GptDecoder(layout, weights, limit.Threads);
        int tokens = Math.Min(Tokens, bench.Shape.Block - WarmUp);
        var seconds = new double[tokens];
        int[] id = [1];
        for (int i = -WarmUp; i < tokens; i++)
        {
            long began = System.Diagnostics.Stopwatch.GetTimestamp();
            decoder.Read(id);
            if (i >= 0)
            {
                seconds[i] = System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds;
            }
        }

        double read = sizeof(float) * ((double)layout.Length - (bench.Shape.Block * (double)bench.Shape.Width));
        return new GenerateResult(bench, limit, Timing.Of(seconds), read);
    }
}

/// <summary>Tokens generated one by one.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Limit">Limits of so many threads.</param>
/// <param name="Timing">Time of a token.</param>
/// <param name="Bytes">Bytes of weights that a token reads.</param>
internal sealed record GenerateResult(BenchShape Shape, MachineLimits Limit, Timing Timing, double Bytes)
{
    /// <summary>Bytes of weights read a second, in units of 10^9.</summary>
    public double GbPerSecond => Bytes / Timing.Median / 1e9;

    /// <summary>That, of what reading alone reaches.</summary>
    public double Share => GbPerSecond / Limit.ReadGbPerSecond;
}
