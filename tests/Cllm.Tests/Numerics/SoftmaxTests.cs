using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;

namespace Cllm.Tests.Numerics;

public sealed class SoftmaxTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(77)]
    [InlineData(50257)]
    public void A_row_equals_its_twin(int count)
    {
        var x = Numbers.Floats(count, 1, 10);
        var y = new float[count];
        Softmax.Forward(x, y);
        var exact = new double[count];
        ReferenceSoftmax.Forward(Numbers.Doubles(x), exact);
        Numbers.Close(exact, y, 3e-6, scale: exact.Max() * 1e-3);
        Softmax.Forward(x, x);
        Assert.Equal(y, x);
    }

    [Fact]
    public void Numbers_of_any_size_are_safe()
    {
        float[] x = [float.MaxValue, float.MinValue, float.NegativeInfinity, float.MaxValue];
        Softmax.Forward(x, x);
        Assert.Equal([0.5f, 0, 0, 0.5f], x);
        float[] undefined = [1, float.NaN, 2];
        Softmax.Forward(undefined, undefined);
        Assert.All(undefined, number => Assert.True(float.IsNaN(number)));
    }

    [Fact]
    public void Adding_a_constant_to_a_row_changes_nothing()
    {
        // Quarters, so that the addition itself is exact.
        var x = Numbers.Floats(77, 1, 40).Select(number => MathF.Round(number) / 4).ToArray();
        var shifted = x.Select(number => number + 1000).ToArray();
        Softmax.Forward(x, x);
        Softmax.Forward(shifted, shifted);
        Assert.Equal(x, shifted);
    }
}
