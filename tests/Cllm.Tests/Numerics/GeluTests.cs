using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class GeluTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100_000)]
    public void Forward_and_backward_equal_their_twins(int count)
    {
        var (x, dy) = (Numbers.Floats(count, 1, 12), Numbers.Floats(count, 2));
        var (y, dx) = (new float[count], new float[count]);
        Gelu.Forward(x, y);
        Gelu.Backward(x, dy, dx);
        var (exactY, exactDx) = (new double[count], new double[count]);
        ReferenceGelu.Forward(Numbers.Doubles(x), exactY);
        ReferenceGelu.Backward(Numbers.Doubles(x), Numbers.Doubles(dy), exactDx);
        Numbers.Close(exactY, y, 3e-7);
        Numbers.Close(exactDx, dx, 5e-7);
    }

    [Fact]
    public void Next_to_zero_the_error_is_relative()
    {
        var x = Numbers.Floats(1000, 1, 1e-20f);
        var y = new float[1000];
        Gelu.Forward(x, y);
        var exact = new double[1000];
        ReferenceGelu.Forward(Numbers.Doubles(x), exact);
        Numbers.Close(exact, y, 3e-7, scale: 0);
    }

    [Fact]
    public void The_twins_gradient_is_a_finite_difference()
    {
        var x = Numbers.Doubles(Numbers.Floats(200, 1, 6));
        var dy = Numbers.Doubles(Numbers.Floats(200, 2));
        var dx = new double[200];
        ReferenceGelu.Backward(x, dy, dx);
        double Loss(double[] at)
        {
            var y = new double[200];
            ReferenceGelu.Forward(at, y);
            return Numbers.Dot(y, dy);
        }

        Numbers.IsGradient(Loss, x, dx);
    }

    [Fact]
    public void Extreme_inputs_give_the_limits()
    {
        float[] x = [0, -20, 20, -1e30f, 1e30f, float.MinValue, float.MaxValue, float.PositiveInfinity, float.NaN];
        var (y, dx) = (new float[x.Length], new float[x.Length]);
        Gelu.Forward(x, y);
        Assert.Equal([0, 0, 20, 0, 1e30f, 0, float.MaxValue, float.PositiveInfinity, float.NaN], y);
        Gelu.Backward(x, Enumerable.Repeat(1f, x.Length).ToArray(), dx);
        Assert.Equal([0.5f, 0, 1, 0, 1, 0, 1, 1, float.NaN], dx);
    }

    [Property(MaxTest = 60)]
    public void Any_split_gives_the_same_bits_also_in_place(byte countByte, byte cutByte)
    {
        var count = 1 + countByte % 100;
        var cut = cutByte % (count + 1);
        var (x, dy) = (Numbers.Floats(count, countByte, 4), Numbers.Floats(count, 500));
        var (y, dx) = (new float[count], new float[count]);
        Gelu.Forward(x, y);
        Gelu.Backward(x, dy, dx);
        var inPlace = dy.ToArray();
        Gelu.Backward(x.AsSpan(0, cut), inPlace.AsSpan(0, cut), inPlace.AsSpan(0, cut));
        Gelu.Backward(x.AsSpan(cut), inPlace.AsSpan(cut), inPlace.AsSpan(cut));
        Assert.Equal(dx, inPlace);
        Gelu.Forward(x.AsSpan(0, cut), x.AsSpan(0, cut));
        Gelu.Forward(x.AsSpan(cut), x.AsSpan(cut));
        Assert.Equal(y, x);
    }
}
