using Cllm.Model;
using Cllm.Model.Shape;

namespace Cllm.Tests.Shape;

public sealed class LayoutTests
{
    private static readonly GptShape Gpt2 = new(Vocabulary: 50257, Block: 1024, Layers: 12, Heads: 12, Width: 768);

    [Fact]
    public void Gpt2_has_124_million_parameters() => Assert.Equal(124_439_808, new ParameterLayout(Gpt2).Parameters);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void Shards_cover_the_vector_once_and_are_cut_between_norm_blocks(int count)
    {
        var layout = new ParameterLayout(Gpt2);
        var shards = layout.Shards(count);
        Assert.Equal(count, shards.Count);
        int next = 0;
        foreach (ParameterRange shard in shards)
        {
            Assert.Equal(next, shard.Offset);
            Assert.Equal(0, shard.Offset % ParameterLayout.NormBlock);
            next = shard.End;
        }

        Assert.Equal(layout.Length, next);
    }

    [Fact]
    public void A_small_model_has_no_more_shards_than_norm_blocks() =>
        Assert.Single(new ParameterLayout(new GptShape(10, 4, 1, 1, 4)).Shards(8));

    [Fact]
    public void Every_tensor_starts_on_a_cache_line_and_none_overlaps()
    {
        int next = 0;
        foreach (TensorSpec tensor in new ParameterLayout(new GptShape(77, 13, 3, 3, 24)).Tensors)
        {
            Assert.Equal(0, tensor.Offset % 16);
            Assert.InRange(tensor.Offset, next, next + 15);
            next = tensor.Offset + tensor.Length;
        }
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 5)]
    [InlineData(12, 8)]
    public void Leaves_cover_the_batch_once(int batch, int leaves)
    {
        var plan = new LeafPlan(batch, leaves);
        int next = 0;
        for (int leaf = 0; leaf < leaves; leaf++)
        {
            (int first, int rows) = plan.Rows(leaf);
            Assert.Equal(next, first);
            Assert.InRange(rows, 1, plan.RowsMax);
            next += rows;
        }

        Assert.Equal(batch, next);
        Assert.True(1 << plan.RootLevel >= leaves);
    }

    [Fact]
    public void Heads_that_do_not_divide_the_width_are_refused_with_a_sentence()
    {
        var error = Assert.Throws<InputException>(() => new GptShape(10, 4, 1, 3, 16).Validate());
        Assert.Contains("3 heads do not divide a width of 16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_does_not_fit_one_vector_is_refused() =>
        Assert.Throws<InputException>(() => new GptShape(50257, 1024, 48, 25, 6400).Validate());
}
