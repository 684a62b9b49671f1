using BenchmarkDotNet.Attributes;
using Cllm.Numerics.Kernels;

namespace Cllm.Benchmarks;

/// <summary>One head over one row, forward and backward, at the trainer's shapes.</summary>
[MemoryDiagnoser]
public class AttentionBenchmarks : IDisposable
{
    private AttentionScratch _scratch = new(1, 1);
    private float[] _qkv = [];
    private float[] _output = [];
    private float[] _logSumExp = [];
    private float[] _dOutput = [];
    private float[] _dQkv = [];

    /// <summary>Tokens, channels of the head, channels of all heads.</summary>
    [Params("64,32,128", "256,64,384", "64,64,768", "1024,64,768")]
    public string Shape { get; set; } = "";

    [Params(0f, 0.1f)]
    public float DropoutRate { get; set; }

    private int Tokens { get; set; }

    private int HeadSize { get; set; }

    private int Width { get; set; }

    private AttentionDropout Dropout => new(new DropoutStream(1, 2, 3, DropoutRate), 0);

    [GlobalSetup]
    public void Allocate()
    {
        int[] shape = Array.ConvertAll(Shape.Split(','), int.Parse);
        (Tokens, HeadSize, Width) = (shape[0], shape[1], shape[2]);
        _scratch.Dispose();
        _scratch = new AttentionScratch(Tokens, HeadSize);
        _qkv = Random(Tokens * 3 * Width);
        _dQkv = new float[_qkv.Length];
        _output = new float[Tokens * Width];
        _dOutput = Random(Tokens * Width);
        _logSumExp = new float[Tokens];
        Forward();
    }

    public void Dispose()
    {
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public void Forward() => Attention.Forward(Tokens, HeadSize, Width, _qkv, _output, _logSumExp, Dropout, _scratch);

    [Benchmark]
    public void Backward() =>
        Attention.Backward(Tokens, HeadSize, Width, _qkv, _output, _logSumExp, _dOutput, _dQkv, Dropout, _scratch);

    private static float[] Random(int length)
    {
        var random = new System.Random(length);
        var values = new float[length];
        foreach (ref float x in values.AsSpan())
        {
            x = random.NextSingle() - 0.5f;
        }

        return values;
    }
}
