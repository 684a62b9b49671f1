using System.Runtime.Intrinsics;
using Cllm.Numerics.Kernels;

namespace Cllm.Tests.Numerics;

public sealed class VectorMathTests
{
    [Fact]
    public void Exp_has_a_relative_error_below_two_e_minus_seven_over_its_whole_range()
    {
        Assert.InRange(WorstRelativeError(-87.3f, 88.7f, 1_000_003, Exp, Math.Exp), 1e-9, 2e-7);
        Assert.InRange(WorstRelativeError(-1f, 1f, 1_000_003, Exp, Math.Exp), 1e-9, 1.2e-7);
    }

    [Fact]
    public void Log_has_a_relative_error_below_two_e_minus_seven_also_next_to_one()
    {
        Assert.InRange(WorstRelativeError(1e-3f, 60000f, 1_000_003, VectorMath.Log, Math.Log), 1e-9, 2e-7);
        Assert.InRange(WorstRelativeError(0.9f, 1.1f, 1_000_003, VectorMath.Log, Math.Log), 1e-9, 2e-7);
        Assert.InRange(WorstRelativeError(1e-44f, 1e-37f, 100_003, VectorMath.Log, Math.Log), 1e-9, 2e-7);
        Assert.InRange(WorstRelativeError(1e30f, float.MaxValue, 100_003, VectorMath.Log, Math.Log), 1e-9, 2e-7);
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(float.MinValue, 0f)]
    [InlineData(-1000f, 0f)]
    [InlineData(-87.34f, 0f)]
    [InlineData(88.73f, float.PositiveInfinity)]
    [InlineData(1000f, float.PositiveInfinity)]
    [InlineData(float.MaxValue, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(float.Epsilon, 1f)]
    public void Exp_is_right_at_the_extremes(float x, float expected) => Assert.Equal(expected, Exp(x));

    [Fact]
    public void Exp_is_accurate_at_both_ends_of_its_range()
    {
        foreach (var x in new[] { -87.336539f, -87.33f, -86.99f, 88.37f, 88.7228f, 88.722831f })
        {
            Assert.InRange(Exp(x) / Math.Exp(x), 1 - 2e-7, 1 + 2e-7);
        }
    }

    [Theory]
    [InlineData(1f, 0f)]
    [InlineData(0f, float.NegativeInfinity)]
    [InlineData(-1f, float.NaN)]
    [InlineData(float.NegativeInfinity, float.NaN)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Log_is_right_at_the_extremes(float x, float expected) => Assert.Equal(expected, VectorMath.Log(x));

    [Fact]
    public void Lanes_fold_in_halves()
    {
        // With these numbers any other order of addition rounds differently.
        var lanes = new float[16];
        for (var i = 0; i < 16; i++)
        {
            lanes[i] = 1f + MathF.Pow(3, i);
        }

        var work = lanes.ToArray();
        for (var half = 8; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                work[i] += work[i + half];
            }
        }

        Assert.Equal(work[0], Lanes.Sum(Vector512.Create(lanes)));
        Assert.Equal(lanes[15], Lanes.Max(Vector512.Create(lanes)));
    }

    private static float Exp(float x) => VectorMath.Exp(Vector512.Create(x)).ToScalar();

    private static double WorstRelativeError(float from, float to, int count, Func<float, float> fast, Func<double, double> exact)
    {
        var worst = 0.0;
        for (var i = 0; i < count; i++)
        {
            var x = (float)(from + ((double)to - from) * i / (count - 1));
            var expected = exact(x);
            if (Math.Abs(expected) > 1.2e-38)
            {
                worst = Math.Max(worst, Math.Abs(fast(x) - expected) / Math.Abs(expected));
            }
        }

        return worst;
    }
}
