using Cllm.Model.Optimization;
using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Random;

namespace Cllm.Cli.Bench;

/// <summary>The kernels of a step of one shape, each on the operands of one leaf, on one thread.</summary>
internal sealed class KernelSuite : IDisposable
{
    private const float Epsilon = 1e-5f;

    private readonly BenchShape _bench;
    private readonly int _rows;
    private readonly MatMulScratch _products = new();
    private readonly AttentionScratch _heads;
    private readonly AlignedBuffer _x, _dx, _y, _dy, _logits, _weights, _m, _v, _gradient, _statistics;
    private readonly int[] _targets;

    /// <summary>Allocates the operands.</summary>
    public KernelSuite(BenchShape bench)
    {
        _bench = bench;
        GptShape shape = bench.Shape;
        _rows = new LeafPlan(bench.Batch, bench.Leaves).RowsMax;
        int N = Tokens, C = shape.Width, parameters = new ParameterLayout(shape).Length;
        _heads = new AttentionScratch(shape.Block, shape.HeadSize);
        (_x, _dx, _y, _dy) = (new(N * 4 * C), new(N * 4 * C), new(N * 4 * C), new(N * 4 * C));
        (_weights, _m, _v, _gradient) = (new(parameters), new(parameters), new(parameters), new(parameters));
        _logits = new AlignedBuffer((long)N * LogitsStride);
        _statistics = new AlignedBuffer(2L * N * Math.Max(shape.Heads, 1));
        _targets = [.. Enumerable.Range(0, N).Select(i => i % shape.Vocabulary)];
        foreach (AlignedBuffer buffer in new[] { _x, _dx, _y, _dy, _weights, _gradient, _logits })
        {
            Philox.Normal(buffer.Span, 1, 1, 0.02f);
        }
    }

    private int Tokens => _rows * _bench.Shape.Block;

    private int LogitsStride => (_bench.Shape.Vocabulary + 15) / 16 * 16;

    /// <summary>The kernels in the order in which a step uses them.</summary>
    public IEnumerable<KernelCase> Cases()
    {
        GptShape shape = _bench.Shape;
        int C = shape.Width, V = shape.Vocabulary;
        return
        [
            .. Linear("qkv", C, 3 * C), .. Linear("projection", C, C), .. Linear("up", C, 4 * C), .. Linear("down", 4 * C, C),
            .. Head(C, V), .. Attend(shape), .. Norms(C), .. Pointwise(C), .. Streams(),
        ];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        _heads.Dispose();
        foreach (AlignedBuffer buffer in new[] { _x, _dx, _y, _dy, _logits, _weights, _m, _v, _gradient, _statistics })
        {
            buffer.Dispose();
        }
    }

    private int PerLayer => _bench.Shape.Layers * _bench.Leaves;

    private IEnumerable<KernelCase> Linear(string name, int k, int n)
    {
        int N = Tokens;
        double flops = 2.0 * N * k * n;
        yield return Product($"{name} forward", $"{N}x{n}x{k}", PerLayer, flops, () => MatMul.NN(
            N, n, k, _x.Span, k, _weights.Span, n, _y.Span, n, MatMulStart.Bias, _m.Span, _products));
        yield return Product($"{name} input gradient", $"{N}x{k}x{n}", PerLayer, flops, () => MatMul.NT(
            N, k, n, _dy.Span, n, _weights.Span, n, _dx.Span, k, MatMulStart.Zero, default, _products));
        yield return Product($"{name} weight gradient", $"{k}x{n}x{N}", PerLayer, flops, () => MatMul.TN(
            k, n, N, _x.Span, k, _dy.Span, n, _gradient.Span, n, MatMulStart.Zero, default, _products));
    }

    private IEnumerable<KernelCase> Head(int C, int V)
    {
        int N = Tokens, S = LogitsStride, leaves = _bench.Leaves;
        double flops = 2.0 * N * C * V;
        yield return Product("head forward", $"{N}x{V}x{C}", leaves, flops, () => MatMul.NT(
            N, V, C, _x.Span, C, _weights.Span, C, _logits.Span, S, MatMulStart.Zero, default, _products));
        yield return Stream("cross entropy", $"{N}x{V}", leaves, 8.0 * N * V, () => CrossEntropy.ForwardBackward(
            N, V, S, _logits.Span, _targets, 1e-3f, _statistics.Span));
        yield return Product("head input gradient", $"{N}x{C}x{V}", leaves, flops, () => MatMul.NN(
            N, C, V, _logits.Span, S, _weights.Span, C, _dx.Span, C, MatMulStart.Zero, default, _products));
        yield return Product("head weight gradient", $"{V}x{C}x{N}", leaves, flops, () => MatMul.TN(
            V, C, N, _logits.Span, S, _x.Span, C, _gradient.Span, C, MatMulStart.Zero, default, _products));
    }

    private IEnumerable<KernelCase> Attend(GptShape shape)
    {
        int T = shape.Block, D = shape.HeadSize, C = shape.Width, calls = PerLayer * _rows * shape.Heads;
        double half = (double)T * (T + 1) * D;
        yield return Product("attention forward", $"{T}x{D}", calls, 2 * half, () => Attention.Forward(
            T, D, C, _x.Span, _y.Span, _statistics.Span, default, _heads));
        yield return Product("attention backward", $"{T}x{D}", calls, 5 * half, () => Attention.Backward(
            T, D, C, _x.Span, _y.Span, _statistics.Span, _dy.Span, _dx.Span, default, _heads));
    }

    private IEnumerable<KernelCase> Norms(int C)
    {
        int N = Tokens, calls = _bench.Leaves * ((2 * _bench.Shape.Layers) + 1);
        string size = $"{N}x{C}";
        double bytes = 4.0 * N * C;
        yield return Stream("layer norm forward", size, calls, 2 * bytes, () => LayerNorm.Forward(
            N, C, _x.Span, _weights.Span, _weights.Span, Epsilon, _y.Span, _statistics.Span[..N], _statistics.Span[N..]));
        yield return Stream("layer norm input gradient", size, calls, 4 * bytes, () => LayerNorm.BackwardInput(
            N, C, _dy.Span, _x.Span, _weights.Span, _statistics.Span[..N], _statistics.Span[N..], true, _dx.Span));
        yield return Stream("layer norm parameters", size, calls, 2 * bytes, () => LayerNorm.BackwardParameters(
            N, C, 0, C, _dy.Span, _x.Span, _statistics.Span[..N], _statistics.Span[N..], _gradient.Span[..C], _gradient.Span[C..]));
        yield return Stream("residual", size, 2 * PerLayer, 3 * bytes, () => Residual.Add(_x.Span[..(N * C)], _dy.Span, _y.Span));
    }

    private IEnumerable<KernelCase> Pointwise(int C)
    {
        int N = Tokens;
        string size = $"{N}x{4 * C}";
        double bytes = 16.0 * N * C;
        yield return Stream("GELU forward", size, PerLayer, 2 * bytes, () => Gelu.Forward(_x.Span, _y.Span));
        yield return Stream("GELU gradient", size, PerLayer, 3 * bytes, () => Gelu.Backward(_x.Span, _dy.Span, _dx.Span));
        yield return Stream("bias gradient", size, PerLayer, bytes, () => Bias.Backward(N, 4 * C, 4 * C, 0, 4 * C, _dy.Span, _gradient.Span));
    }

    private IEnumerable<KernelCase> Streams()
    {
        int P = _weights.Length;
        string size = P.ToString("N0");
        var optimizer = _bench.Plan(1).Configuration.Optimizer;
        AdamWScalars scalars = AdamWStep.Scalars(optimizer, 0, 1e-4, 1f);
        yield return Stream("gradient sum", size, _bench.Leaves - 1, 12.0 * P, () => GradientTree.Add(_m.Span, _gradient.Span, _m.Span));
        yield return Stream("gradient norm", size, 1, 4.0 * P, () => SquaredNorm.Sum(_gradient.Span));
        yield return Stream("AdamW", size, 1, 28.0 * P, () => AdamW.Update(_weights.Span, _m.Span, _v.Span, _gradient.Span, scalars, true));
    }

    private static KernelCase Product(string name, string size, int calls, double flops, Action run) => new(name, size, calls, flops, 0, run);

    private static KernelCase Stream(string name, string size, int calls, double bytes, Action run) => new(name, size, calls, 0, bytes, run);
}

/// <summary>One kernel on operands of one size.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Size">Its size.</param>
/// <param name="Calls">Calls in a step.</param>
/// <param name="Flops">Floating-point operations of a call; 0 for one that is bound by memory.</param>
/// <param name="Bytes">Bytes it reads and writes; 0 for one that is bound by arithmetic.</param>
/// <param name="Run">One call.</param>
internal sealed record KernelCase(string Name, string Size, int Calls, double Flops, double Bytes, Action Run)
{
    /// <summary>Whether arithmetic is its limit.</summary>
    public bool IsProduct => Flops > 0;
}
