using Cllm.Model;
using Cllm.Model.Feed;
using Cllm.Model.Run;
using Cllm.Tests.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Cllm.Tests.Feed;

public sealed class RowsTests : IDisposable
{
    private const int FileTokens = 3000;

    private readonly TemporaryFolder _folder = new();
    private readonly TokenFile _file;

    // Token i has id i, so a row's ids say where it lies.
    public RowsTests()
    {
        string path = _folder.File("tokens.bin");
        TokenFile.Write(path, [.. Enumerable.Range(0, FileTokens)]);
        _file = TokenFile.Open(path, FileTokens);
    }

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Sequential_rows_read_the_data_from_end_to_end_when_it_is_as_long_as_the_run()
    {
        const int Steps = 10, Batch = 4, Block = 16;
        var rows = new TrainingRows(_file, 0, Steps * Batch * Block + 1, Block, Batch, 1, RowOrder.Sequential);
        Assert.Equal(Steps * Batch, rows.WindowsPerPass);
        for (int step = 0; step < Steps; step++)
        {
            for (int row = 0; row < Batch; row++)
            {
                Assert.Equal(Enumerable.Range((step * Batch + row) * Block, Block + 1), Row(rows, step, row, Block));
            }
        }

        Assert.Equal(Enumerable.Range(0, Block + 1), Row(rows, Steps, 0, Block));
    }

    [Fact]
    public void Sequential_rows_wrap_around_the_training_part_in_whole_windows()
    {
        // 100 to 149: four windows of 11, each beginning at the last one's last target, and a rest of 9.
        var rows = new TrainingRows(_file, 100, 50, 10, 3, 1, RowOrder.Sequential);
        Assert.Equal(4, rows.WindowsPerPass);
        int[] starts = [.. Enumerable.Range(0, 9).Select(r => Row(rows, r / 3, r % 3, 10)[0])];
        Assert.Equal([100, 110, 120, 130, 100, 110, 120, 130, 100], starts);
    }

    [Property(MaxTest = 200)]
    public Property A_pass_visits_every_window_once_inside_the_part() => Prop.ForAll(
        Gen.Choose(1, 40).SelectMany(block => Gen.Choose(block + 1, 1200).Select(count => (block, count))).ToArbitrary(),
        Gen.Choose(0, 1000).Select(seed => (ulong)seed).ToArbitrary(),
        Gen.Choose(0, 5).ToArbitrary(),
        (shape, seed, pass) =>
        {
            const int First = 77;
            var rows = new TrainingRows(_file, First, shape.count, shape.block, 1, seed, RowOrder.Shuffled);
            long[] starts = [.. Starts(rows, pass * rows.WindowsPerPass, rows.WindowsPerPass).Order()];
            Assert.InRange(starts[0], First, First + shape.block - 1);
            Assert.InRange(starts[^1] + shape.block, First, First + shape.count - 1);
            Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.Equal(shape.block, pair.Second - pair.First));

            // No more than one window is lost to the offset.
            Assert.InRange(rows.WindowsPerPass, Math.Max(1, (shape.count - 1) / shape.block - 1), (shape.count - 1) / shape.block);
        });

    [Property(MaxTest = 200)]
    public Property The_permutation_is_one_to_one() => Prop.ForAll(
        Gen.OneOf(Gen.Choose(1, 20), Gen.Choose(1, 3000), Gen.Elements(1, 2, 255, 256, 257, 1023, 1024, 1025)).ToArbitrary(),
        Gen.Choose(int.MinValue, int.MaxValue).ToArbitrary(),
        (count, key) =>
        {
            var permutation = new WindowPermutation(count, (ulong)key);
            Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), Enumerable.Range(0, count).Select(i => permutation[i]).Order());
        });

    [Theory]
    [InlineData(1L << 40)]
    [InlineData((1L << 40) + 1)]
    [InlineData(long.MaxValue / 2)]
    public void The_permutation_stays_inside_very_long_ranges(long count)
    {
        var permutation = new WindowPermutation(count, 42);
        long[] images = [.. Enumerable.Range(0, 1000).Select(i => permutation[count - 1 - i])];
        Assert.All(images, image => Assert.InRange(image, 0, count - 1));
        Assert.Equal(images.Length, images.Distinct().Count());
    }

    [Fact]
    public void Passes_and_seeds_have_orders_and_borders_of_their_own()
    {
        TrainingRows[] seeds =
            [.. Enumerable.Range(0, 8).Select(seed => new TrainingRows(_file, 0, 2000, 16, 1, (ulong)seed, RowOrder.Shuffled))];
        long windows = seeds[0].WindowsPerPass;
        long[][] orders = [.. seeds.SelectMany(rows => Enumerable.Range(0, 8).Select(pass => Starts(rows, pass * windows, windows)))];
        Assert.Equal(64, orders.Select(order => string.Join(',', order)).Distinct().Count());
        Assert.InRange(orders.Select(order => order.Min()).Distinct().Count(), 10, 16);

        // A shuffled order has about one fixed neighbourhood in a pass; an unshuffled one has all of them.
        Assert.All(orders, order => Assert.InRange(order.Zip(order.Skip(1)).Count(pair => pair.Second - pair.First == 16), 0, 12));
    }

    // Pinned: the order of rows is part of a run's identity, so no refactoring may change it.
    [Fact]
    public void The_order_of_a_seed_is_the_same_for_ever()
    {
        var rows = new TrainingRows(_file, 0, FileTokens, 64, 4, 1234, RowOrder.Shuffled);
        string starts = string.Join(" ", Starts(rows, 0, 16));
        Assert.Equal("1666 2434 2178 578 1090 962 1410 322 1922 2370 2114 1602 1949 2205 2653 2077", starts);
    }

    [Fact]
    public void Reading_a_row_allocates_nothing()
    {
        var rows = new TrainingRows(_file, 0, FileTokens, 64, 4, 1, RowOrder.Shuffled);
        var tokens = new int[65];
        rows.Read(0, 0, tokens);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 100; step++)
        {
            rows.Read(step, step % 4, tokens);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void All_held_out_rows_predict_each_token_of_the_part_once()
    {
        var rows = new HeldOutRows(_file, 1000, 105, 10, 0);
        Assert.Equal(10, rows.Count);
        Assert.Equal(100, rows.PredictedTokens);
        Assert.Equal(Enumerable.Range(1001, 100), Enumerable.Range(0, 10).SelectMany(row => Row(rows, row, 10).Skip(1)));
    }

    [Theory]
    [InlineData(5, new[] { 1000, 1020, 1040, 1060, 1080 })]
    [InlineData(3, new[] { 1000, 1030, 1060 })]
    [InlineData(1, new[] { 1000 })]
    [InlineData(10, new[] { 1000, 1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080, 1090 })]
    [InlineData(99, new[] { 1000, 1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080, 1090 })]
    public void Fewer_held_out_rows_are_spread_evenly(int wanted, int[] starts)
    {
        var rows = new HeldOutRows(_file, 1000, 101, 10, wanted);
        Assert.Equal(starts, Enumerable.Range(0, rows.Count).Select(row => Row(rows, row, 10)[0]));
    }

    [Fact]
    public void A_held_out_part_shorter_than_a_window_is_refused() => Assert.Contains(
        "has 10 tokens", Assert.Throws<InputException>(() => new HeldOutRows(_file, 0, 10, 10, 0)).Message, StringComparison.Ordinal);

    private static long[] Starts(TrainingRows rows, long from, long count)
    {
        var starts = new long[count];
        for (int i = 0; i < count; i++)
        {
            starts[i] = rows.Start(from + i, 0);
        }

        return starts;
    }

    private static int[] Row(TrainingRows rows, long step, int row, int block)
    {
        var tokens = new int[block + 1];
        rows.Read(step, row, tokens);
        return tokens;
    }

    private static int[] Row(HeldOutRows rows, int row, int block)
    {
        var tokens = new int[block + 1];
        rows.Read(row, tokens);
        return tokens;
    }
}
