using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;

namespace Cllm.Tests.Numerics;

public sealed class MatVecTests
{
    public static TheoryData<int, int> Shapes => new()
    {
        { 1, 1 }, { 3, 5 }, { 4, 16 }, { 16, 4 }, { 65, 128 }, { 128, 65 }, { 77, 24 }, { 200, 33 }, { 31, 47 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void One_row_has_the_bits_of_the_matrix_product(int n, int k)
    {
        float[] x = Numbers.Floats(k, 1), b = Numbers.Floats(k * n, 2), bias = Numbers.Floats(n, 3);
        float[] expected = new float[n], actual = new float[n];
        using var scratch = new MatMulScratch();
        MatMul.NN(1, n, k, x, k, b, n, expected, n, MatMulStart.Bias, bias, scratch);
        MatVec.NN(n, k, x, b, n, bias, actual);
        Assert.Equal(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Dot_products_with_rows_are_close_to_the_exact_ones(int n, int k)
    {
        float[] x = Numbers.Floats(k, 4), b = Numbers.Floats(n * k, 5), actual = new float[n];
        var expected = new double[n];
        ReferenceMatVec.NT(Numbers.Doubles(x), Numbers.Doubles(b), expected);
        MatVec.NT(n, k, x, b, k, actual);
        Numbers.Close(expected, actual, 1e-6 * Math.Max(1, k));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sums_over_the_rows_are_close_to_the_exact_ones(int n, int k)
    {
        float[] x = Numbers.Floats(k, 11), b = Numbers.Floats(k * n, 12), bias = Numbers.Floats(n, 13), actual = new float[n];
        var expected = new double[n];
        ReferenceMatVec.NN(Numbers.Doubles(x), Numbers.Doubles(b), Numbers.Doubles(bias), expected);
        MatVec.NN(n, k, x, b, n, bias, actual);
        Numbers.Close(expected, actual, 1e-6 * Math.Max(1, k));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Cutting_the_outputs_changes_no_bit(int n, int k)
    {
        float[] x = Numbers.Floats(k, 6), b = Numbers.Floats(n * k, 7), bias = Numbers.Floats(n, 8);
        float[] whole = new float[n], parts = new float[n];
        int half = n / 2;
        MatVec.NT(n, k, x, b, k, whole);
        MatVec.NT(half, k, x, b, k, parts);
        MatVec.NT(n - half, k, x, b.AsSpan(half * k), k, parts.AsSpan(half));
        Assert.Equal(whole, parts);
        MatVec.NN(n, k, x, b, n, bias, whole);
        if (half > 0)
        {
            MatVec.NN(half, k, x, b, n, bias, parts);
        }

        MatVec.NN(n - half, k, x, b.AsSpan(half), n, bias.AsSpan(half), parts.AsSpan(half));
        Assert.Equal(whole, parts);
    }

    /// <summary>The order in which a dot product is added, spelled out: lane i takes terms i, i + 16, …; then lanes are folded in halves.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(48)]
    [InlineData(77)]
    public void A_dot_product_is_sixteen_lanes_and_one_fold(int k)
    {
        float[] x = Numbers.Floats(k, 9), row = Numbers.Floats(k, 10), actual = new float[1];
        var lanes = new float[16];
        for (int i = 0; i < k; i++)
        {
            lanes[i % 16] = MathF.FusedMultiplyAdd(x[i], row[i], lanes[i % 16]);
        }

        for (int half = 8; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
            {
                lanes[i] += lanes[i + half];
            }
        }

        MatVec.NT(1, k, x, row, k, actual);
        Assert.Equal(lanes[0], actual[0]);
    }
}
