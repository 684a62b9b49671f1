using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class DropoutTests
{
    private static readonly DropoutStream Stream = new(Seed: 1337, Step: 42, Site: 3, Rate: 0.2f);

    [Theory]
    [InlineData(3, 24, 24)]
    [InlineData(2, 1, 5)]
    [InlineData(2, 15, 15)]
    [InlineData(2, 16, 16)]
    [InlineData(2, 17, 20)]
    [InlineData(2, 1000, 1000)]
    public void A_mask_equals_its_twin(int rows, int columns, int stride)
    {
        var x = Numbers.Floats(rows * stride, 1);
        var exact = Numbers.Doubles(x);
        var position = 0x1_0000_0000ul - 1;
        Dropout.Apply(x, rows, columns, stride, position, Stream);
        ReferenceDropout.Apply(exact, rows, columns, stride, position, Stream);
        Numbers.Close(exact, x, 1e-7);
    }

    [Property(MaxTest = 60)]
    public void Any_split_of_rows_and_column_blocks_gives_the_same_bits(byte columnsByte, byte rowCut, byte columnCut)
    {
        const int rows = 5;
        var columns = 1 + columnsByte;
        var (row, column) = (rowCut % (rows + 1), 32 * (columnCut % (columns / 32 + 1)));
        var whole = Numbers.Floats(rows * columns, 1);
        var parts = whole.ToArray();
        Dropout.Apply(whole, rows, columns, columns, 100, Stream);
        Dropout.Apply(parts, row, column, columns, 100, 0, Stream);
        Dropout.Apply(parts.AsSpan(column), row, columns - column, columns, 100, column, Stream);
        Dropout.Apply(parts.AsSpan(row * columns), rows - row, columns, columns, 100 + (ulong)row, Stream);
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void The_expectation_stays_and_the_rate_is_met()
    {
        const int count = 1_000_000;
        foreach (var rate in new[] { 0.1f, 0.5f, 0.9f })
        {
            var x = Enumerable.Repeat(1f, count).ToArray();
            Dropout.Apply(x, 1000, 1000, 1000, 0, Stream with { Rate = rate });
            var dropped = x.Count(number => number == 0);
            var deviation = Math.Sqrt(rate * (1 - rate) / count);
            Assert.InRange((double)dropped / count, rate - 5 * deviation, rate + 5 * deviation);
            Assert.All(x.Distinct(), number => Assert.True(number == 0 || number == 1f / (1f - rate)));
        }
    }

    [Fact]
    public void Masks_of_different_places_are_independent()
    {
        var mask = Mask(Stream, 0);
        Assert.Equal(mask, Mask(Stream, 0));
        DropoutStream[] others = [Stream with { Seed = 1338 }, Stream with { Step = 43 }, Stream with { Site = 4 }];
        foreach (var other in others.Select(stream => Mask(stream, 0)).Append(Mask(Stream, 1000)).Append(Mask(Stream, 1ul << 32)))
        {
            var both = mask.Zip(other).Count(pair => pair.First && pair.Second);
            Assert.InRange(both / 100_000.0, 0.04 - 0.0032, 0.04 + 0.0032);
        }
    }

    [Fact]
    public void What_is_dropped_is_zero_even_if_it_was_NaN()
    {
        var x = Enumerable.Repeat(float.NaN, 1000).ToArray();
        Dropout.Apply(x, 1, 1000, 1000, 0, Stream with { Rate = 0.5f });
        Assert.InRange(x.Count(number => number == 0), 400, 600);
    }

    [Fact]
    public void Rate_zero_changes_nothing_and_impossible_rates_and_columns_are_refused()
    {
        var x = Numbers.Floats(100, 1);
        var before = x.ToArray();
        Dropout.Apply(x, 1, 100, 100, 0, Stream with { Rate = 0 });
        Assert.Equal(before, x);
        foreach (var rate in new[] { 1f, -0.1f, float.NaN })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => Dropout.Apply(x, 1, 100, 100, 0, Stream with { Rate = rate }));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => Dropout.Apply(x, 1, 50, 100, 0, 16, Stream));
    }

    private static bool[] Mask(DropoutStream stream, ulong position)
    {
        var x = Enumerable.Repeat(1f, 100_000).ToArray();
        Dropout.Apply(x, 100, 1000, 1000, position, stream);
        return Array.ConvertAll(x, number => number == 0);
    }
}
