using BenchmarkDotNet.Attributes;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks;

/// <summary>
/// The three products of a linear layer at the trainer's shapes: forward, gradient of the input, gradient of the weights.
/// </summary>
[MemoryDiagnoser]
public class MatMulBenchmarks : IDisposable
{
    private readonly MatMulScratch _scratch = new();
    private AlignedBuffer _input = new(0);
    private AlignedBuffer _weights = new(0);
    private AlignedBuffer _output = new(0);

    /// <summary>Tokens of a leaf, width in, width out.</summary>
    [Params("64,128,512", "64,128,1000", "192,384,1536", "256,768,768", "256,768,3072", "256,3072,768", "1,768,2304")]
    public string Shape { get; set; } = "";

    private int Tokens { get; set; }

    private int In { get; set; }

    private int Out { get; set; }

    [GlobalSetup]
    public void Allocate()
    {
        int[] shape = Array.ConvertAll(Shape.Split(','), int.Parse);
        (Tokens, In, Out) = (shape[0], shape[1], shape[2]);
        _input = Random(Tokens * In);
        _weights = Random(In * Out);
        _output = Random(Tokens * Out);
    }

    [GlobalCleanup]
    public void Free()
    {
        _input.Dispose();
        _weights.Dispose();
        _output.Dispose();
    }

    public void Dispose()
    {
        Free();
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void Forward() => MatMul.NN(
        Tokens, Out, In, _input.Span, In, _weights.Span, Out, _output.Span, Out, MatMulStart.Zero, default, _scratch);

    [Benchmark]
    public void InputGradient() => MatMul.NT(
        Tokens, In, Out, _output.Span, Out, _weights.Span, Out, _input.Span, In, MatMulStart.Zero, default, _scratch);

    [Benchmark]
    public void WeightGradient() => MatMul.TN(
        In, Out, Tokens, _input.Span, In, _output.Span, Out, _weights.Span, Out, MatMulStart.Zero, default, _scratch);

    private static AlignedBuffer Random(int length)
    {
        var buffer = new AlignedBuffer(length);
        var random = new System.Random(length);
        foreach (ref float x in buffer.Span)
        {
            x = random.NextSingle() - 0.5f;
        }

        return buffer;
    }
}
