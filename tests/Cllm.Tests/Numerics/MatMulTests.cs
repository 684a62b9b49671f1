using System.Runtime.Intrinsics;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Reference;

namespace Cllm.Tests.Numerics;

public sealed class MatMulTests : IDisposable
{
    private readonly MatMulScratch _scratch = new();

    /// <summary>
    /// Odd and round sizes on both sides of every block: tile rows 6, vectors 4/8/16, strips 16/32/64, k 768, n 384, m 192; the last ones
    /// have so few rows that B is the left operand of the transposed product, in one and in several blocks, so
    /// many that a transposed A is packed, or operands or results large enough to be fetched ahead.
    /// </summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 65, 7 }, { 2, 24, 3 }, { 3, 77, 33 }, { 4, 1000, 17 }, { 5, 16, 768 }, { 6, 64, 64 }, { 7, 63, 5 },
        { 12, 32, 32 }, { 13, 129, 31 }, { 32, 32, 32 }, { 11, 385, 2 }, { 17, 40, 769 }, { 9, 100, 1541 }, { 191, 33, 9 },
        { 193, 70, 10 }, { 200, 15, 3 }, { 64, 128, 128 }, { 3, 800, 70 }, { 25, 784, 40 },
        { 25, 100, 200 }, { 33, 130, 800 }, { 24, 4700, 60 }, { 4100, 20, 9 }, { 700, 20, 760 }, { 26, 1000, 270 }, { 500, 300, 20 },
    };

    private static IEnumerable<(MatMulForm Form, MatMulStart Start)> FormsAndStarts =>
        from form in Enum.GetValues<MatMulForm>() from start in Enum.GetValues<MatMulStart>() select (form, start);

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_width_gives_the_bits_of_the_plain_loop(int m, int n, int k)
    {
        foreach ((MatMulForm form, MatMulStart start) in FormsAndStarts)
        {
            foreach (int gap in new[] { 0, 5 })
            {
                var product = new Operands(form, start, m, n, k, gap);
                float[] expected = product.PlainLoop();
                AssertSameBits(expected, product.Run(MatMul.On<MatMulLanes512, Vector512<float>>, _scratch), product, 512);
                AssertSameBits(expected, product.Run(MatMul.On<MatMulLanes256, Vector256<float>>, _scratch), product, 256);
                AssertSameBits(expected, product.Run(MatMul.On<MatMulLanes128, Vector128<float>>, _scratch), product, 128);
                AssertSameBits(expected, product.Run(Chosen(product.Form), _scratch), product, 0);
            }
        }
    }

    [Fact]
    public void The_product_is_near_its_twin_in_double()
    {
        foreach ((MatMulForm form, MatMulStart start) in FormsAndStarts)
        {
            var product = new Operands(form, start, 37, 101, 900, 0);
            float[] actual = product.Run(Chosen(form), _scratch);
            double[] expected = product.Twin();
            Assert.InRange(expected.Zip(actual, (x, y) => Math.Abs(x - y)).Max(), 0, 1e-4);
        }
    }

    [Fact]
    public void Cutting_the_columns_and_rows_over_threads_changes_no_bit()
    {
        const int m = 50, n = 200, k = 90;
        var whole = new Operands(MatMulForm.NN, MatMulStart.Bias, m, n, k, 0);
        float[] expected = whole.Run(Chosen(MatMulForm.NN), _scratch);
        var cut = new float[m * n];
        foreach ((int row, int rows) in new[] { (0, 7), (7, 43) })
        {
            foreach ((int column, int columns) in new[] { (0, 33), (33, 128), (161, 39) })
            {
                MatMul.NN(
                    rows, columns, k, whole.A.AsSpan(row * k), k, whole.B.AsSpan(column), n, cut.AsSpan((row * n) + column), n,
                    MatMulStart.Bias, whole.Bias.AsSpan(column, columns), _scratch);
            }
        }

        Assert.Equal(expected, cut);
    }

    /// <summary>A large gradient is stored past the caches where its rows begin on cache lines, which those of the other tests do not.</summary>
    [Theory]
    [InlineData(512, 528)]
    [InlineData(4096, 77)]
    public void A_large_gradient_has_the_same_bits_wherever_it_lies(int m, int n)
    {
        const int k = 7;
        var product = new Operands(MatMulForm.TN, MatMulStart.Zero, m, n, k, 0);
        float[] expected = product.Run(Chosen(MatMulForm.TN), _scratch);
        int leading = (n + 15) / 16 * 16;
        using var aligned = new AlignedBuffer((long)m * leading);
        aligned.Span.Fill(3);
        MatMul.TN(m, n, k, product.A, m, product.B, n, aligned.Span, leading, MatMulStart.Zero, default, _scratch);
        for (int row = 0; row < m; row++)
        {
            Assert.Equal(expected.AsSpan(row * n, n), aligned.Span.Slice(row * leading, n));
            Assert.Equal(-1, aligned.Span[((row * leading) + n)..((row + 1) * leading)].IndexOfAnyExcept(3f));
        }
    }

    [Fact]
    public void A_product_allocates_nothing_on_the_managed_heap()
    {
        var products = (from one in FormsAndStarts select new Operands(one.Form, one.Start, 20, 70, 800, 3)).ToArray();
        RunAll(products);
        long before = GC.GetAllocatedBytesForCurrentThread();
        RunAll(products);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_span_too_short_for_the_shape_is_refused()
    {
        var a = new float[12];
        var c = new float[16];
        Assert.Throws<InvalidOperationException>(() => MatMul.NN(4, 4, 4, a, 4, c, 4, c, 4, MatMulStart.Zero, default, _scratch));
        Assert.Throws<InvalidOperationException>(() => MatMul.NT(4, 4, 3, a, 2, a, 3, c, 4, MatMulStart.Zero, default, _scratch));
        Assert.Throws<InvalidOperationException>(() => MatMul.TN(4, 4, 3, a, 4, a, 4, c, 4, MatMulStart.Bias, a.AsSpan(0, 3), _scratch));
    }

    private void RunAll(Operands[] products)
    {
        foreach (Operands p in products)
        {
            MatMul.On<MatMulLanes512, Vector512<float>>(
                p.Form, p.M, p.N, p.K, p.A, p.Lda, p.B, p.Ldb, p.C, p.Ldc, p.Start, p.Bias, _scratch);
            MatMul.On<MatMulLanes256, Vector256<float>>(
                p.Form, p.M, p.N, p.K, p.A, p.Lda, p.B, p.Ldb, p.C, p.Ldc, p.Start, p.Bias, _scratch);
        }
    }

    private static MatMulProduct Chosen(MatMulForm form) => form switch
    {
        MatMulForm.NN => (_, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch) =>
            MatMul.NN(m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch),
        MatMulForm.NT => (_, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch) =>
            MatMul.NT(m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch),
        _ => (_, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch) =>
            MatMul.TN(m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch),
    };

    private static void AssertSameBits(float[] expected, float[] actual, Operands product, int width)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
            {
                Assert.Fail($"{product} at width {width}: element {i} is {actual[i]:R}, the plain loop has {expected[i]:R}.");
            }
        }
    }
}
