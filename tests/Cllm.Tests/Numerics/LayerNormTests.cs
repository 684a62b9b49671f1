using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class LayerNormTests
{
    private const float Epsilon = 1e-5f;

    [Theory]
    [InlineData(3, 24)]
    [InlineData(1, 1)]
    [InlineData(2, 15)]
    [InlineData(2, 16)]
    [InlineData(2, 17)]
    [InlineData(5, 1000)]
    public void Forward_and_backward_equal_their_twins(int rows, int width)
    {
        var run = new Run(rows, width);
        var twin = new Twin(run);
        Numbers.Close(twin.Y, run.Y, 2e-6);
        Numbers.Close(twin.Mean, run.Mean, 1e-6);
        Numbers.Close(twin.Rstd, run.Rstd, 1e-6);
        Numbers.Close(twin.Dx, run.Dx, 5e-6, scale: twin.Rstd.Max());
        Numbers.Close(twin.DGain, run.DGain, 5e-6);
        Numbers.Close(twin.DBias, run.DBias, 2e-6);
    }

    [Fact]
    public void The_twins_gradients_are_finite_differences()
    {
        var twin = new Twin(new Run(3, 24));
        Numbers.IsGradient(x => twin.Loss(x, twin.Gain, twin.Bias), twin.X, twin.Dx);
        Numbers.IsGradient(gain => twin.Loss(twin.X, gain, twin.Bias), twin.Gain, twin.DGain);
        Numbers.IsGradient(bias => twin.Loss(twin.X, twin.Gain, bias), twin.Bias, twin.DBias);
    }

    [Fact]
    public void A_large_mean_costs_no_digits()
    {
        var x = Numbers.Floats(1000, 1).Select(number => 4096 + MathF.Round(number * 1024) / 1024).ToArray();
        var (y, mean, rstd) = (new float[1000], new float[1], new float[1]);
        var (gain, bias) = (Enumerable.Repeat(1f, 1000).ToArray(), new float[1000]);
        LayerNorm.Forward(1, 1000, x, gain, bias, Epsilon, y, mean, rstd);
        var (exact, exactMean, exactRstd) = (new double[1000], new double[1], new double[1]);
        ReferenceLayerNorm.Forward(
            1, 1000, Numbers.Doubles(x), Numbers.Doubles(gain), Numbers.Doubles(bias), Epsilon, exact, exactMean, exactRstd);
        Numbers.Close(exactRstd, rstd, 1e-6);
        Numbers.Close(exact, y, 2e-3);
    }

    [Property(MaxTest = 60)]
    public void Any_split_of_rows_and_columns_gives_the_same_bits(byte rowsByte, byte widthByte, byte rowCut, byte columnCut)
    {
        var (rows, width) = (1 + rowsByte % 7, 1 + widthByte % 70);
        var (row, column) = (rowCut % (rows + 1), columnCut % (width + 1));
        var whole = new Run(rows, width);
        var parts = new Run(rows, width, row, column);
        Assert.Equal(whole.Y, parts.Y);
        Assert.Equal(whole.Mean, parts.Mean);
        Assert.Equal(whole.Rstd, parts.Rstd);
        Assert.Equal(whole.Dx, parts.Dx);
        Assert.Equal(whole.DGain, parts.DGain);
        Assert.Equal(whole.DBias, parts.DBias);
    }

    [Fact]
    public void Accumulating_adds_to_what_is_there_and_replacing_does_not_read_it()
    {
        var run = new Run(3, 24);
        var replaced = Enumerable.Repeat(float.NaN, 72).ToArray();
        LayerNorm.BackwardInput(3, 24, run.Dy, run.X, run.Gain, run.Mean, run.Rstd, accumulate: false, replaced);
        var added = Enumerable.Repeat(2f, 72).ToArray();
        LayerNorm.BackwardInput(3, 24, run.Dy, run.X, run.Gain, run.Mean, run.Rstd, accumulate: true, added);
        Numbers.Close(Array.ConvertAll(replaced, d => 2.0 + d), added, 1e-6);
    }

    [Fact]
    public void A_NaN_spoils_its_own_row_only()
    {
        var x = Numbers.Floats(3 * 17, 1);
        x[20] = float.NaN;
        var (y, mean, rstd) = (new float[3 * 17], new float[3], new float[3]);
        LayerNorm.Forward(3, 17, x, Numbers.Floats(17, 2), Numbers.Floats(17, 3), Epsilon, y, mean, rstd);
        Assert.All(y[17..34], number => Assert.True(float.IsNaN(number)));
        Assert.All(y[..17].Concat(y[34..]), number => Assert.True(float.IsFinite(number)));
    }

    private sealed class Run
    {
        public Run(int rows, int width, int rowCut = 0, int columnCut = 0)
        {
            (Rows, Width) = (rows, width);
            (X, Dy) = (Numbers.Floats(rows * width, 1, 3), Numbers.Floats(rows * width, 2));
            (Gain, Bias) = (Numbers.Floats(width, 3, 2), Numbers.Floats(width, 4));
            (Y, Dx) = (new float[rows * width], new float[rows * width]);
            (Mean, Rstd, DGain, DBias) = (new float[rows], new float[rows], new float[width], new float[width]);
            foreach (var (from, to) in new[] { (0, rowCut), (rowCut, rows) })
            {
                var cells = (from * width)..(to * width);
                var (x, mean, rstd) = (X[cells], Mean.AsMemory(from..to), Rstd.AsMemory(from..to));
                LayerNorm.Forward(to - from, width, x, Gain, Bias, Epsilon, Y.AsSpan(cells), mean.Span, rstd.Span);
                LayerNorm.BackwardInput(to - from, width, Dy.AsSpan(cells), x, Gain, mean.Span, rstd.Span, true, Dx.AsSpan(cells));
            }

            LayerNorm.BackwardParameters(rows, width, 0, columnCut, Dy, X, Mean, Rstd, DGain, DBias);
            LayerNorm.BackwardParameters(rows, width, columnCut, width - columnCut, Dy, X, Mean, Rstd, DGain, DBias);
        }

        public int Rows { get; }

        public int Width { get; }

        public float[] X { get; }

        public float[] Dy { get; }

        public float[] Gain { get; }

        public float[] Bias { get; }

        public float[] Y { get; }

        public float[] Dx { get; }

        public float[] Mean { get; }

        public float[] Rstd { get; }

        public float[] DGain { get; }

        public float[] DBias { get; }
    }

    private sealed class Twin
    {
        private readonly Run _run;
        private readonly double[] _dy;

        public Twin(Run run)
        {
            var (rows, width) = (run.Rows, run.Width);
            (_run, _dy) = (run, Numbers.Doubles(run.Dy));
            (X, Gain, Bias) = (Numbers.Doubles(run.X), Numbers.Doubles(run.Gain), Numbers.Doubles(run.Bias));
            (Y, Dx) = (new double[rows * width], new double[rows * width]);
            (Mean, Rstd, DGain, DBias) = (new double[rows], new double[rows], new double[width], new double[width]);
            ReferenceLayerNorm.Forward(rows, width, X, Gain, Bias, Epsilon, Y, Mean, Rstd);
            ReferenceLayerNorm.BackwardInput(rows, width, _dy, X, Gain, Mean, Rstd, Dx);
            ReferenceLayerNorm.BackwardParameters(rows, width, _dy, X, Mean, Rstd, DGain, DBias);
        }

        public double[] X { get; }

        public double[] Gain { get; }

        public double[] Bias { get; }

        public double[] Y { get; }

        public double[] Dx { get; }

        public double[] Mean { get; }

        public double[] Rstd { get; }

        public double[] DGain { get; }

        public double[] DBias { get; }

        public double Loss(double[] x, double[] gain, double[] bias)
        {
            var (y, mean, rstd) = (new double[Y.Length], new double[_run.Rows], new double[_run.Rows]);
            ReferenceLayerNorm.Forward(_run.Rows, _run.Width, x, gain, bias, Epsilon, y, mean, rstd);
            return Numbers.Dot(y, _dy);
        }
    }
}
