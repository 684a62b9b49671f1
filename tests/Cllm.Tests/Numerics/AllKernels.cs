using Cllm.Numerics.Kernels;
using Cllm.Numerics.Random;

namespace Cllm.Tests.Numerics;

/// <summary>Every row, elementwise and random kernel on fixed input at one size; buffers are made once, a run allocates nothing.</summary>
internal sealed class AllKernels
{
    private const int Rows = 5;

    private readonly int _width;
    private readonly int[] _tokens;
    private readonly float[] _x;
    private readonly float[] _dy;
    private readonly float[] _gain;
    private readonly float[] _table;
    private readonly float[] _y;
    private readonly float[] _dx;
    private readonly float[] _rows1;
    private readonly float[] _rows2;
    private readonly float[] _columns1;
    private readonly float[] _columns2;
    private readonly float[] _moments1;
    private readonly float[] _moments2;
    private readonly float[] _weights;
    private readonly double[] _doubles = new double[2];

    public AllKernels(int width)
    {
        var cells = Rows * width;
        _width = width;
        _tokens = Numbers.Integers(Rows, 1, width);
        (_x, _dy, _table) = (Numbers.Floats(cells, 2, 3), Numbers.Floats(cells, 3), Numbers.Floats(width * width, 4));
        (_gain, _columns1, _columns2) = (Numbers.Floats(width, 5), new float[width], new float[width]);
        (_y, _dx, _rows1, _rows2) = (new float[cells], new float[cells], new float[Rows], new float[Rows]);
        (_weights, _moments1, _moments2) = (Numbers.Floats(cells, 6), new float[cells], new float[cells]);
    }

    /// <summary>Runs every kernel; <paramref name="output"/> is shown each result.</summary>
    public void Run(IResultSink output)
    {
        Norms(output);
        Pointwise(output);
        Embeddings(output);
        Losses(output);
        Updates(output);
    }

    private void Norms(IResultSink output)
    {
        LayerNorm.Forward(Rows, _width, _x, _gain, _gain, 1e-5f, _y, _rows1, _rows2);
        output.Show(_y, _rows1, _rows2);
        LayerNorm.BackwardInput(Rows, _width, _dy, _x, _gain, _rows1, _rows2, false, _dx);
        LayerNorm.BackwardInput(Rows, _width, _y, _x, _gain, _rows1, _rows2, true, _dx);
        LayerNorm.BackwardParameters(Rows, _width, 0, _width, _dy, _x, _rows1, _rows2, _columns1, _columns2);
        output.Show(_dx, _columns1, _columns2);
        Bias.Backward(Rows, _width, _width, 0, _width, _y, _columns1);
        _doubles[0] = SquaredNorm.Sum(_y);
        output.Show(_columns1, _doubles);
    }

    private void Pointwise(IResultSink output)
    {
        Gelu.Forward(_x, _y);
        Gelu.Backward(_x, _dy, _dx);
        output.Show(_y, _dx, _dx);
        Residual.Add(_y, _dx, _y);
        GradientTree.Add(_y, _x, _dx);
        Dropout.Apply(_dx, Rows, _width, _width, 123456789012, new DropoutStream(7, 8, 9, 0.3f));
        output.Show(_y, _dx, _dx);
        Philox.Normal(_y, 77, 3, 0.02f);
        _doubles[1] = Philox.Uniform(77, 3, (ulong)_width);
        output.Show(_y, _doubles);
    }

    private void Embeddings(IResultSink output)
    {
        Embedding.Forward(_tokens, 0, _width, _table, _x, _y);
        Embedding.BackwardTokens(_tokens, _width, 0, _width, _dy, _table);
        Embedding.BackwardPositions(1, Rows, _width, 0, Rows, _dy, _dx);
        output.Show(_y, _table, _dx);
    }

    private void Losses(IResultSink output)
    {
        Softmax.Forward(_x, _y);
        output.Show(_y, _rows1, _rows1);
        _x.CopyTo(_y, 0);
        CrossEntropy.Forward(Rows, _width, _width, _y, _tokens, _rows1);
        CrossEntropy.ForwardBackward(Rows, _width, _width, _y, _tokens, 0.25f, _rows2);
        output.Show(_y, _rows1, _rows2);
    }

    private void Updates(IResultSink output)
    {
        var scalars = AdamWTests.Scalars(2);
        AdamW.Update(_weights, _moments1, _moments2, _dy, scalars, true);
        AdamW.Update(_weights, _moments1, _moments2, _x, scalars, false);
        output.Show(_weights, _moments1, _moments2);
    }
}

/// <summary>What looks at the results of <see cref="AllKernels"/>.</summary>
internal interface IResultSink
{
    void Show(ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<float> third);

    void Show(ReadOnlySpan<float> floats, ReadOnlySpan<double> doubles);
}
