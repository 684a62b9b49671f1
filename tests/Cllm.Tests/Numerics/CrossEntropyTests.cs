using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class CrossEntropyTests
{
    [Theory]
    [InlineData(13, 77, 77)]
    [InlineData(3, 1, 2)]
    [InlineData(2, 15, 16)]
    [InlineData(2, 16, 16)]
    [InlineData(2, 17, 20)]
    [InlineData(4, 1000, 1000)]
    [InlineData(2, 50257, 50304)]
    public void Losses_and_gradients_equal_their_twins(int rows, int vocabulary, int stride)
    {
        var dense = Numbers.Floats(rows * vocabulary, 1, 8);
        var targets = Numbers.Integers(rows, 2, vocabulary);
        const float scale = 1f / 512;
        var logits = Enumerable.Repeat(7f, rows * stride).ToArray();
        for (var r = 0; r < rows; r++)
        {
            dense.AsSpan(r * vocabulary, vocabulary).CopyTo(logits.AsSpan(r * stride));
        }

        var (losses, lossesAlone) = (new float[rows], new float[rows]);
        CrossEntropy.Forward(rows, vocabulary, stride, logits, targets, lossesAlone);
        CrossEntropy.ForwardBackward(rows, vocabulary, stride, logits, targets, scale, losses);
        Assert.Equal(lossesAlone, losses);

        var (exactLosses, exactGradient) = (new double[rows], new double[rows * vocabulary]);
        ReferenceSoftmax.CrossEntropy(rows, vocabulary, Numbers.Doubles(dense), targets, exactLosses);
        ReferenceSoftmax.CrossEntropyBackward(rows, vocabulary, Numbers.Doubles(dense), targets, scale, exactGradient);
        Numbers.Close(exactLosses, losses, 1e-6);
        for (var r = 0; r < rows; r++)
        {
            var gradient = logits.AsSpan(r * stride, vocabulary).ToArray();
            Numbers.Close(exactGradient[(r * vocabulary)..((r + 1) * vocabulary)], gradient, 3e-6, scale * 0.1);
            Assert.All(logits[(r * stride + vocabulary)..((r + 1) * stride)], padding => Assert.Equal(7f, padding));
        }
    }

    [Fact]
    public void The_twins_gradient_is_a_finite_difference()
    {
        var logits = Numbers.Doubles(Numbers.Floats(3 * 77, 1, 3));
        var targets = Numbers.Integers(3, 2, 77);
        var gradient = new double[3 * 77];
        ReferenceSoftmax.CrossEntropyBackward(3, 77, logits, targets, 1.0, gradient);
        double Loss(double[] at)
        {
            var losses = new double[3];
            ReferenceSoftmax.CrossEntropy(3, 77, at, targets, losses);
            return losses.Sum();
        }

        Numbers.IsGradient(Loss, logits, gradient);
    }

    [Fact]
    public void Equal_logits_lose_the_logarithm_of_the_vocabulary()
    {
        var losses = new float[1];
        CrossEntropy.Forward(1, 50257, 50257, new float[50257], [50256], losses);
        Assert.Equal(Math.Log(50257), losses[0], 1e-6);
    }

    [Fact]
    public void Huge_logits_are_safe()
    {
        float[] logits = [1e30f, -1e30f, 0, 1e30f];
        var losses = new float[1];
        CrossEntropy.ForwardBackward(1, 4, 4, logits, [0], 1, losses);
        Assert.Equal(Math.Log(2), losses[0], 1e-6);
        Assert.Equal([-0.5f, 0, 0, 0.5f], logits);
        float[] hopeless = [1000, 0];
        CrossEntropy.ForwardBackward(1, 2, 2, hopeless, [1], 1, losses);
        Assert.Equal(1000f, losses[0]);
        Assert.Equal([1f, -1f], hopeless);
    }

    [Fact]
    public void A_target_outside_the_vocabulary_is_refused()
    {
        var losses = new float[1];
        Assert.Throws<ArgumentOutOfRangeException>(() => CrossEntropy.Forward(1, 4, 4, new float[4], [4], losses));
        Assert.Throws<ArgumentOutOfRangeException>(() => CrossEntropy.ForwardBackward(1, 4, 4, new float[4], [-1], 1, losses));
    }

    [Property(MaxTest = 40)]
    public void Any_split_of_rows_gives_the_same_bits(byte rowsByte, byte vocabularyByte, byte cutByte)
    {
        var (rows, vocabulary) = (1 + rowsByte % 9, 1 + vocabularyByte % 90);
        var cut = cutByte % (rows + 1);
        var (whole, targets) = (Numbers.Floats(rows * vocabulary, 1, 5), Numbers.Integers(rows, 2, vocabulary));
        var parts = whole.ToArray();
        var (losses, lossesOfParts) = (new float[rows], new float[rows]);
        CrossEntropy.ForwardBackward(rows, vocabulary, vocabulary, whole, targets, 0.1f, losses);
        CrossEntropy.ForwardBackward(cut, vocabulary, vocabulary, parts, targets, 0.1f, lossesOfParts);
        CrossEntropy.ForwardBackward(
            rows - cut, vocabulary, vocabulary, parts.AsSpan(cut * vocabulary), targets.AsSpan(cut), 0.1f, lossesOfParts.AsSpan(cut));
        Assert.Equal(whole, parts);
        Assert.Equal(losses, lossesOfParts);
    }
}
