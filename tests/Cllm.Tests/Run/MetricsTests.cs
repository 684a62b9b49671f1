using Cllm.Model;
using Cllm.Model.Run;
using Cllm.Tests.Files;

namespace Cllm.Tests.Run;

public sealed class MetricsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.At("metrics.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_line_holds_the_promised_fields()
    {
        using (var writer = new MetricsWriter(Path, 0))
        {
            writer.Write(new StepMetrics(0, 6.9, 1.25, 1e-05, 12345.5, 10.25));
            writer.Write(new StepMetrics(1, 6.5, 1.5, 2e-05, 12000, 11, ValidationLoss: 6.6, Digest: "abc"));
        }

        Assert.Equal(
            """
            {"step":0,"loss":6.9,"grad_norm":1.25,"lr":1E-05,"tokens_per_second":12345.5,"milliseconds":10.25}
            {"step":1,"loss":6.5,"grad_norm":1.5,"lr":2E-05,"tokens_per_second":12000,"milliseconds":11,"val_loss":6.6,"digest":"abc"}

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(Path));
    }

    [Fact]
    public void Lines_come_back_exactly()
    {
        StepMetrics[] lines =
        [
            Line(0), Line(1) with { ValidationLoss = Math.PI }, Line(2) with { Digest = "abc" }, Line(3) with { Loss = double.NaN },
        ];
        Write(0, lines);
        Assert.Equal(lines, MetricsReader.Read(Path));
    }

    [Fact]
    public void A_line_is_there_as_soon_as_it_is_written()
    {
        using var writer = new MetricsWriter(Path, 0);
        for (int step = 0; step < 3; step++)
        {
            writer.Write(Line(step));
            Assert.Equal(step + 1, MetricsReader.Read(Path).Count);
        }
    }

    [Fact]
    public void After_going_back_to_a_checkpoint_every_step_stands_once()
    {
        Write(0, [.. Enumerable.Range(0, 10).Select(s => Line(s))]);
        Write(4, [.. Enumerable.Range(4, 10).Select(s => Line(s) with { Milliseconds = 99 })]);
        var lines = MetricsReader.Read(Path);
        Assert.Equal(Enumerable.Range(0, 14).Select(s => (long)s), lines.Select(l => l.Step));
        Assert.Equal(10, lines.Count(l => l.Milliseconds == 99));
    }

    [Theory]
    [InlineData("{\"step\":3,\"loss\":1")]
    [InlineData("{\"step\":3}")]
    [InlineData("\0\0\0\0\0\0")]
    [InlineData("\0\0\0\n{\"step\":3}\n")]
    [InlineData("{\"step\":1}\n")]
    public void What_a_crash_left_behind_the_last_good_line_is_dropped(string rest)
    {
        Write(0, Line(0), Line(1), Line(2));
        File.AppendAllText(Path, rest);
        Write(3, Line(3), Line(4));
        Assert.Equal([0L, 1, 2, 3, 4], MetricsReader.Read(Path).Select(l => l.Step));
    }

    [Fact]
    public void A_last_line_that_is_being_written_is_left_out()
    {
        Write(0, Line(0), Line(1));
        byte[] whole = File.ReadAllBytes(Path);
        int first = Array.IndexOf(whole, (byte)'\n') + 1;
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(Path, whole[..length]);
            Assert.Equal(length == whole.Length ? 2 : length >= first ? 1 : 0, MetricsReader.Read(Path).Count);
        }
    }

    [Fact]
    public void A_broken_line_is_named_by_its_number()
    {
        Write(0, Line(0));
        File.AppendAllText(Path, "{\"step\":\"x\"}\n");
        Assert.Contains("line 2", Assert.Throws<InputException>(() => MetricsReader.Read(Path)).Message);
    }

    [Fact]
    public void A_step_is_not_written_twice()
    {
        using var writer = new MetricsWriter(Path, 5);
        writer.Write(Line(5));
        Assert.Throws<InvalidOperationException>(() => writer.Write(Line(5)));
    }

    [Fact]
    public void Writing_a_line_allocates_nothing()
    {
        using var writer = new MetricsWriter(Path, 0);
        string digest = new('a', 64);
        for (int step = 0; step < 100; step++)
        {
            writer.Write(Line(step) with { ValidationLoss = 1, Digest = digest });
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 100; step < 200; step++)
        {
            writer.Write(Line(step) with { ValidationLoss = 1, Digest = digest });
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static StepMetrics Line(long step) => new(step, 7 - step / 3.0, 1 / (step + 1.0), 1e-3, 1000 * step, 1.5);

    private void Write(long nextStep, params StepMetrics[] lines)
    {
        using var writer = new MetricsWriter(Path, nextStep);
        foreach (var line in lines)
        {
            writer.Write(line);
        }
    }
}
