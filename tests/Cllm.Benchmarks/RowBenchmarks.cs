using BenchmarkDotNet.Attributes;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Random;

namespace Cllm.Benchmarks;

/// <summary>Kernels over rows of activations that fit the caches: what runs between the matrix products.</summary>
[MemoryDiagnoser]
public class RowBenchmarks
{
    private const int Numbers = 256 * 768;

    private readonly int[] _targets = new int[Numbers];
    private AlignedBuffer _x = null!;
    private AlignedBuffer _y = null!;
    private AlignedBuffer _dy = null!;
    private AlignedBuffer _column = null!;
    private AlignedBuffer _mean = null!;
    private AlignedBuffer _rstd = null!;

    /// <summary>Numbers per row; there are 196,608 / width rows.</summary>
    [Params(64, 128, 768)]
    public int Width { get; set; }

    private int Rows => Numbers / Width;

    [GlobalSetup]
    public void Fill()
    {
        (_x, _y, _dy, _column) = (new(Numbers), new(Numbers), new(Numbers), new(Width));
        (_mean, _rstd) = (new(Rows), new(Rows));
        Philox.Normal(_x.Span, 1, 1, 1);
        Philox.Normal(_dy.Span, 1, 2, 1);
        LayerNormForward();
    }

    [GlobalCleanup]
    public void Free()
    {
        foreach (var buffer in new[] { _x, _y, _dy, _column, _mean, _rstd })
        {
            buffer.Dispose();
        }
    }

    [Benchmark]
    public void LayerNormForward() =>
        LayerNorm.Forward(Rows, Width, _x.Span, _column.Span, _column.Span, 1e-5f, _y.Span, _mean.Span, _rstd.Span);

    [Benchmark]
    public void LayerNormBackwardInput() =>
        LayerNorm.BackwardInput(Rows, Width, _dy.Span, _x.Span, _column.Span, _mean.Span, _rstd.Span, false, _y.Span);

    [Benchmark]
    public void LayerNormBackwardParameters() =>
        LayerNorm.BackwardParameters(Rows, Width, 0, Width, _dy.Span, _x.Span, _mean.Span, _rstd.Span, _y.Span, _column.Span);

    [Benchmark]
    public void BiasBackward() => Bias.Backward(Rows, Width, Width, 0, Width, _dy.Span, _y.Span);

    [Benchmark]
    public void GeluForward() => Gelu.Forward(_x.Span, _y.Span);

    [Benchmark]
    public void GeluBackward() => Gelu.Backward(_x.Span, _dy.Span, _y.Span);

    [Benchmark]
    public void ResidualAdd() => Residual.Add(_x.Span, _dy.Span, _y.Span);

    [Benchmark]
    public void DropoutApply() => Dropout.Apply(_y.Span, Rows, Width, Width, 0, new DropoutStream(1, 2, 3, 0.2f));

    [Benchmark]
    public void SoftmaxForward()
    {
        for (var i = 0; i < Numbers; i += Width)
        {
            Softmax.Forward(_x.Span.Slice(i, Width), _y.Span.Slice(i, Width));
        }
    }

    [Benchmark]
    public void CrossEntropyForward() => CrossEntropy.Forward(Rows, Width, Width, _x.Span, _targets, _mean.Span);
}
