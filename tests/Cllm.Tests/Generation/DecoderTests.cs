using Cllm.Model.Compute;
using Cllm.Model.Generation;
using Cllm.Model.Shape;

namespace Cllm.Tests.Generation;

public sealed class DecoderTests
{
    private static readonly GptShape Odd = new(Vocabulary: 77, Block: 50, Layers: 2, Heads: 3, Width: 24);

    [Fact]
    public void Reading_token_by_token_gives_the_logits_of_reading_at_once()
    {
        var layout = new ParameterLayout(Odd);
        using var state = new RunState(layout);
        InitialWeights.Draw(layout, 5, state.Weights.Span);
        using var whole = new GptDecoder(layout, state.Weights);
        using var single = new GptDecoder(layout, state.Weights);
        int[] tokens = [.. Enumerable.Range(0, 50).Select(i => i * 31 % 77)];
        whole.Read(tokens);
        foreach (int token in tokens)
        {
            single.Read([token]);
        }

        Assert.Equal(whole.Logits.ToArray(), single.Logits.ToArray());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Threads_change_no_bit_of_the_logits(int threads)
    {
        var layout = new ParameterLayout(new GptShape(Vocabulary: 300, Block: 12, Layers: 2, Heads: 2, Width: 128));
        using var state = new RunState(layout);
        InitialWeights.Draw(layout, 5, state.Weights.Span);
        using var one = new GptDecoder(layout, state.Weights);
        using var several = new GptDecoder(layout, state.Weights, threads);
        foreach (int[] piece in new[] { new[] { 1, 299, 7, 40 }, [5], [6] })
        {
            one.Read(piece);
            several.Read(piece);
            Assert.Equal(one.Logits.ToArray(), several.Logits.ToArray());
        }
    }

    [Fact]
    public void The_loss_of_a_row_follows_from_the_decoders_logits()
    {
        RunPlan plan = TinyRunPlan();
        using var state = new RunState(plan.Layout);
        InitialWeights.Draw(plan.Layout, 5, state.Weights.Span);
        using var worker = new WorkerCompute(plan, state, 1);
        using var decoder = new GptDecoder(plan.Layout, state.Weights);
        var loss = new double[1];
        worker.Evaluate(0, 0, 1, loss);
        var row = new int[Odd.Block + 1];
        plan.ReadHeldOutRow(0, row);
        double expected = 0;
        for (int i = 0; i < Odd.Block; i++)
        {
            decoder.Read([row[i]]);
            float[] logits = decoder.Logits.ToArray();
            double largest = logits.Max();
            expected += Math.Log(logits.Sum(l => Math.Exp(l - largest))) + largest - logits[row[i + 1]];
        }

        Assert.Equal(expected / Odd.Block, loss[0] / Odd.Block, 1e-5);
    }

    [Fact]
    public void A_sequence_longer_than_the_block_is_refused()
    {
        var layout = new ParameterLayout(Odd);
        using var state = new RunState(layout);
        using var decoder = new GptDecoder(layout, state.Weights);
        decoder.Read(new int[50]);
        Assert.Throws<ArgumentException>(() => decoder.Read([1]));
    }

    [Fact]
    public void Draws_depend_on_seed_and_place_only_and_stay_among_the_likeliest()
    {
        float[] logits = [.. Enumerable.Range(0, 77).Select(i => MathF.Sin(i) * 3)];
        int[] likeliest = [.. Enumerable.Range(0, 77).OrderByDescending(i => logits[i]).Take(5)];
        var sampler = new Sampler(77, 1.0, 5, seed: 9);
        var again = new Sampler(77, 1.0, 5, seed: 9);
        int[] drawn = [.. Enumerable.Range(0, 200).Select(i => sampler.Draw(logits, i))];
        Assert.Equal(drawn, Enumerable.Range(0, 200).Select(i => again.Draw(logits, i)));
        Assert.All(drawn, id => Assert.Contains(id, likeliest));
        Assert.True(drawn.Distinct().Count() > 2);
        Assert.Equal(likeliest[0], new Sampler(77, 0, 0, 1).Draw(logits, 0));
        Assert.Equal(likeliest[0], new Sampler(77, 1.0, 1, 1).Draw(logits, 3));
        Assert.Equal(likeliest[0], new Sampler(77, 1e-39, 0, 1).Draw(logits, 3));
    }

    [Fact]
    public void Equal_logits_rank_by_id()
    {
        Assert.Equal(0, new Sampler(4, 0, 0, 1).Draw([2f, 2f, 1f, 2f], 0));
        Assert.Equal(1, new Sampler(4, 0, 0, 1).Draw([-2f, -1f, -1f, -3f], 0));
    }

    private static RunPlan TinyRunPlan() => Compute.TinyRun.PlanFor(Odd, batch: 1, leaves: 1, heldOutRows: 1);
}
