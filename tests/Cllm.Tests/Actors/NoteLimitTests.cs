using Cllm.Actors;

namespace Cllm.Tests.Actors;

public sealed class NoteLimitTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    private readonly NoteLimit _limit = new();

    [Fact]
    public void A_sentence_that_comes_again_and_again_is_told_once_a_minute_with_a_count()
    {
        var told = new List<string>();
        for (var i = 0; i < 200; i++)
        {
            told.AddRange(new[] { _limit.Pass($"message of 10.0.0.{i}:4053 refused", i * Second) }.OfType<string>());
        }

        Assert.Equal(
            [
                "message of 10.0.0.0:4053 refused",
                "message of 10.0.0.60:4053 refused (59 more like it since it was said last)",
                "message of 10.0.0.120:4053 refused (59 more like it since it was said last)",
                "message of 10.0.0.180:4053 refused (59 more like it since it was said last)",
            ],
            told);
    }

    [Fact]
    public void Another_sentence_is_told_beside_it()
    {
        Assert.NotNull(_limit.Pass("one thing", 0));
        Assert.Null(_limit.Pass("one thing", 1));
        Assert.Equal("another thing", _limit.Pass("another thing", 2));
    }

    [Fact]
    public void Sentences_that_a_stranger_makes_up_are_one_kind_when_there_are_many()
    {
        var told = Enumerable.Range(0, 10_000).Count(i => _limit.Pass(new string((char)('a' + (i % 26)), 1 + (i % 40)), i) is not null);

        Assert.Equal(NoteLimit.KindsMax, told);
    }
}
