using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class AdamWTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(15, true)]
    [InlineData(16, false)]
    [InlineData(17, true)]
    [InlineData(1000, false)]
    public void Ten_updates_equal_those_of_the_twin(int count, bool decay)
    {
        var run = new State(count);
        var (weights, m, v) = (Numbers.Doubles(run.Weights), Numbers.Doubles(run.M), Numbers.Doubles(run.V));
        for (var t = 1; t <= 10; t++)
        {
            var gradient = Numbers.Floats(count, (uint)(10 + t), 0.3f);
            AdamW.Update(run.Weights, run.M, run.V, gradient, Scalars(t), decay);
            ReferenceAdamW.Update(weights, m, v, Numbers.Doubles(gradient), Scalars(t), decay);
        }

        Numbers.Close(weights, run.Weights, 2e-6);
        Numbers.Close(m, run.M, 1e-6);
        Numbers.Close(v, run.V, 2e-6, scale: 1e-3);
    }

    [Fact]
    public void The_first_update_moves_every_weight_by_the_learning_rate_against_its_gradient()
    {
        var weights = new float[50];
        var gradient = Numbers.Floats(50, 1, 0.1f);
        AdamW.Update(weights, new float[50], new float[50], gradient, Scalars(1) with { Epsilon = 0 }, decay: false);
        Assert.All(weights.Zip(gradient), pair => Assert.Equal(-0.01 * Math.Sign(pair.Second), pair.First, 1e-7));
    }

    [Fact]
    public void Without_a_gradient_weights_only_decay()
    {
        var (decayed, kept) = (new float[] { 2 }, new float[] { 2 });
        AdamW.Update(decayed, new float[1], new float[1], new float[1], Scalars(1), decay: true);
        AdamW.Update(kept, new float[1], new float[1], new float[1], Scalars(1), decay: false);
        Assert.Equal(2 * (1 - 0.01 * 0.1), decayed[0], 1e-6);
        Assert.Equal(2f, kept[0]);
    }

    [Property(MaxTest = 60)]
    public void Two_addends_give_the_same_bits_as_their_sum(byte countByte, bool decay)
    {
        var count = 1 + countByte % 90;
        var (left, right, sum) = (Numbers.Floats(count, 8), Numbers.Floats(count, 9), new float[count]);
        GradientTree.Add(left, right, sum);
        var (added, apart) = (new State(count), new State(count));
        AdamW.Update(added.Weights, added.M, added.V, sum, Scalars(3), decay);
        AdamW.Update(apart.Weights, apart.M, apart.V, left, right, Scalars(3), decay);
        Assert.Equal(added.Weights, apart.Weights);
        Assert.Equal(added.M, apart.M);
        Assert.Equal(added.V, apart.V);
    }

    [Property(MaxTest = 60)]
    public void Any_split_gives_the_same_bits(byte countByte, byte cutByte)
    {
        var count = 1 + countByte % 90;
        var cut = cutByte % (count + 1);
        var gradient = Numbers.Floats(count, 9);
        var (whole, parts) = (new State(count), new State(count));
        AdamW.Update(whole.Weights, whole.M, whole.V, gradient, Scalars(3), true);
        foreach (var range in new[] { 0..cut, cut..count })
        {
            AdamW.Update(
                parts.Weights.AsSpan(range), parts.M.AsSpan(range), parts.V.AsSpan(range), gradient.AsSpan(range), Scalars(3), true);
        }

        Assert.Equal(whole.Weights, parts.Weights);
        Assert.Equal(whole.M, parts.M);
        Assert.Equal(whole.V, parts.V);
    }

    internal static AdamWScalars Scalars(int t) => new(
        ClipScale: 0.7f, Beta1: 0.9f, Beta2: 0.999f, LearningRate: 0.01f, WeightDecay: 0.1f, Epsilon: 1e-8f,
        FirstCorrection: (float)(1 / (1 - Math.Pow(0.9f, t))), SecondCorrection: (float)(1 / (1 - Math.Pow(0.999f, t))));

    private sealed class State(int count)
    {
        public float[] Weights { get; } = Numbers.Floats(count, 1);

        public float[] M { get; } = Numbers.Floats(count, 2, 0.1f);

        public float[] V { get; } = Array.ConvertAll(Numbers.Floats(count, 3, 0.1f), MathF.Abs);
    }
}
