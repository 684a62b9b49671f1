using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class SumTests
{
    public static TheoryData<int> Sizes => [1, 15, 16, 17, 24, 77, 1000];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Residual_and_gradient_tree_add_each_pair_also_in_place(int count)
    {
        var (x, y) = (Numbers.Floats(count, 1), Numbers.Floats(count, 2));
        var expected = x.Zip(y, (a, b) => a + b).ToArray();
        var exact = new double[count];
        ReferenceSums.Add(Numbers.Doubles(x), Numbers.Doubles(y), exact);
        Numbers.Close(exact, expected, 1e-7);
        var sum = new float[count];
        GradientTree.Add(x, y, sum);
        Assert.Equal(expected, sum);
        Residual.Add(x, y, x);
        Assert.Equal(expected, x);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Bias_gradient_equals_its_twin(int width)
    {
        var (rows, stride) = (13, width + 3);
        var dy = Numbers.Floats(rows * stride, 1);
        var dBias = Enumerable.Repeat(float.NaN, width).ToArray();
        Bias.Backward(rows, width, stride, 0, width, dy, dBias);
        var exact = new double[width];
        ReferenceSums.Columns(rows, width, stride, Numbers.Doubles(dy), exact);
        Numbers.Close(exact, dBias, 1e-6);
    }

    [Property(MaxTest = 60)]
    public void Bias_gradient_has_the_same_bits_for_any_split_of_columns(byte widthByte, byte cutByte)
    {
        var width = 1 + widthByte % 90;
        var cut = cutByte % (width + 1);
        var dy = Numbers.Floats(7 * width, 1);
        var (whole, parts) = (new float[width], new float[width]);
        Bias.Backward(7, width, width, 0, width, dy, whole);
        Bias.Backward(7, width, width, cut, width - cut, dy, parts);
        Bias.Backward(7, width, width, 0, cut, dy, parts);
        Assert.Equal(whole, parts);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    [InlineData(100_003)]
    public void Squared_norm_equals_its_twin(int count)
    {
        var x = Numbers.Floats(count, 1);
        var exact = ReferenceSums.Squares(Numbers.Doubles(x));
        Assert.InRange(SquaredNorm.Sum(x) / exact, 1 - 1e-13, 1 + 1e-13);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Squared_norm_of_two_addends_is_that_of_their_sum(int count)
    {
        var (left, right, sum) = (Numbers.Floats(count, 1), Numbers.Floats(count, 2), new float[count]);
        GradientTree.Add(left, right, sum);
        Assert.Equal(SquaredNorm.Sum(sum), SquaredNorm.Sum(left, right));
        Assert.Equal(SquaredNorm.Sum(left), SquaredNorm.Sum(left, []));
    }

    [Fact]
    public void Squared_norm_neither_overflows_nor_hides_a_NaN()
    {
        Assert.Equal(2 * Math.Pow(float.MaxValue, 2), SquaredNorm.Sum([float.MaxValue, float.MinValue]));
        Assert.Equal(Math.Pow(float.Epsilon, 2), SquaredNorm.Sum([float.Epsilon]));
        Assert.True(double.IsNaN(SquaredNorm.Sum([1, float.NaN])));
        Assert.Equal(0, SquaredNorm.Sum([]));
    }
}
