namespace Cllm.Cli.Bench;

/// <summary>Tells measurements as they come.</summary>
internal interface IBenchReport
{
    /// <summary>The machine's limits, one for each number of threads.</summary>
    void Limits(IReadOnlyList<MachineLimits> limits);

    /// <summary>The kernels of a shape, and the share of each of the time of all.</summary>
    void Kernels(BenchShape shape, IReadOnlyList<KernelResult> kernels);

    /// <summary>Whole steps.</summary>
    void Step(StepResult step);

    /// <summary>Generation.</summary>
    void Generate(GenerateResult generate);
}

/// <summary>The times of a kernel and the limit it is measured against.</summary>
/// <param name="Case">The kernel.</param>
/// <param name="Timing">Times of one call.</param>
/// <param name="Limit">Limits of one thread.</param>
internal sealed record KernelResult(KernelCase Case, Timing Timing, MachineLimits Limit)
{
    /// <summary>Operations or bytes a second, in units of 10^9, of the fastest run.</summary>
    public double Rate => (Case.IsProduct ? Case.Flops : Case.Bytes) / Timing.Minimum / 1e9;

    /// <summary>Share of the limit; above 1 where a stream came from the caches.</summary>
    public double Share => Rate / (Case.IsProduct ? Limit.GflopPerSecond : Limit.GbPerSecond);

    /// <summary>Milliseconds of all calls of a step, on one thread.</summary>
    public double StepMilliseconds => Case.Calls * Timing.Minimum * 1e3;
}
