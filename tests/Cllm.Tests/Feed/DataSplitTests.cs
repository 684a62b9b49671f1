using Cllm.Model;
using Cllm.Model.Feed;

namespace Cllm.Tests.Feed;

public sealed class DataSplitTests
{
    [Theory]
    [InlineData(1_115_394, 0.1, 1_003_854)]
    [InlineData(641, 0.0, 641)]
    [InlineData(1000, 0.5, 500)]
    public void The_last_part_is_held_out(long tokens, double fraction, long training)
    {
        DataSplit split = DataSplit.Create(tokens, fraction, 16);
        Assert.Equal((training, training, tokens - training), (split.TrainingCount, split.HeldOutFirst, split.HeldOutCount));
    }

    [Fact]
    public void One_block_and_its_last_target_are_enough()
    {
        Assert.Equal(17, DataSplit.Create(17, 0, 16).TrainingCount);
        Assert.Equal(17, DataSplit.Create(34, 0.5, 16).HeldOutCount);
    }

    [Theory]
    [InlineData(16, 0.0, "training part has 16 of 16 tokens and a block of 16 needs 17")]
    [InlineData(100, 0.1, "held-out part has 10 of 100 tokens and a block of 16 needs 17")]
    [InlineData(100, 0.9, "training part has 9 of 100")]
    [InlineData(100, 1.0, "--val-fraction is 1 ")]
    [InlineData(100, -0.1, "--val-fraction is -0.1 ")]
    [InlineData(100, double.NaN, "--val-fraction is NaN ")]
    public void A_part_that_is_too_short_is_named_with_its_numbers(long tokens, double fraction, string expected)
    {
        string sentence = Assert.Throws<InputException>(() => DataSplit.Create(tokens, fraction, 16)).Message;
        Assert.Contains(expected, sentence, StringComparison.Ordinal);
    }
}
