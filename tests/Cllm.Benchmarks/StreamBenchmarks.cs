using BenchmarkDotNet.Attributes;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Random;

namespace Cllm.Benchmarks;

/// <summary>Kernels whose data come from main memory: what runs over all parameters once a step, and the large vocabulary.</summary>
[MemoryDiagnoser]
public class StreamBenchmarks
{
    private const int Parameters = 32_000_000;
    private const int Vocabulary = 50257;

    private static readonly AdamWScalars Scalars = new(1, 0.9f, 0.999f, 1e-4f, 0.1f, 1e-8f, 1.1f, 10f);

    private readonly int[] _targets = [1, 2, 3, 4];
    private readonly float[] _losses = new float[4];
    private AlignedBuffer _weights = null!;
    private AlignedBuffer _m = null!;
    private AlignedBuffer _v = null!;
    private AlignedBuffer _gradient = null!;

    [GlobalSetup]
    public void Fill()
    {
        (_weights, _m, _v, _gradient) = (new(Parameters), new(Parameters), new(Parameters), new(Parameters));
        Philox.Normal(_weights.Span, 1, 1, 0.02f);
        Philox.Normal(_gradient.Span, 1, 2, 1);
    }

    [GlobalCleanup]
    public void Free()
    {
        foreach (var buffer in new[] { _weights, _m, _v, _gradient })
        {
            buffer.Dispose();
        }
    }

    /// <summary>28 bytes a parameter.</summary>
    [Benchmark]
    public void AdamWUpdate() => AdamW.Update(_weights.Span, _m.Span, _v.Span, _gradient.Span, Scalars, decay: true);

    /// <summary>12 bytes a parameter.</summary>
    [Benchmark]
    public void GradientTreeAdd() => GradientTree.Add(_weights.Span, _gradient.Span, _m.Span);

    /// <summary>4 bytes a parameter.</summary>
    [Benchmark]
    public double SquaredNormSum() => SquaredNorm.Sum(_gradient.Span);

    /// <summary>4 bytes a parameter.</summary>
    [Benchmark]
    public void Normals() => Philox.Normal(_m.Span, 1, 3, 0.02f);

    /// <summary>Four rows of GPT-2's vocabulary, 200 KB each.</summary>
    [Benchmark]
    public void CrossEntropyForwardBackward() =>
        CrossEntropy.ForwardBackward(4, Vocabulary, Vocabulary, _gradient.Span, _targets, 0.25f, _losses);
}
