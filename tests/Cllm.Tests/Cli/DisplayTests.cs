using Cllm.Cli.Display;
using Spectre.Console;

namespace Cllm.Tests.Cli;

public class DisplayTests
{
    private sealed class HandClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += (long)time.TotalMilliseconds;
    }

    [Fact]
    public void Plain_progress_writes_about_forty_lines_at_round_steps()
    {
        var output = new StringWriter();
        using var progress = new PlainProgress(output, 2000, 0, new HandClock());
        for (int step = 1; step <= 2000; step++)
        {
            progress.Step(step, 4.0 - (step * 0.001), 10_000, 100, 1e-3);
        }

        string[] lines = output.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(41, lines.Length);
        Assert.Equal("step 1 of 2000, loss 3.9990, 10,000 tokens/s", lines[0]);
        Assert.Equal("step 50 of 2000, loss 3.9500, 10,000 tokens/s, 3 min 15 s left", lines[1]);
        Assert.Equal("step 2000 of 2000, loss 2.0000, 10,000 tokens/s, done", lines[^1]);
    }

    [Fact]
    public void Slow_steps_are_not_silent_for_longer_than_twenty_seconds()
    {
        var output = new StringWriter();
        var clock = new HandClock();
        using var progress = new PlainProgress(output, 100_000, 40, clock);
        for (int step = 41; step <= 46; step++)
        {
            progress.Step(step, 5, 50, 10_000, 1e-3);
            clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(["step 41", "step 43", "step 45"], output.ToString().TrimEnd().Split(Environment.NewLine).Select(line => line[..7]));
    }

    [Fact]
    public void Plain_progress_tells_evaluations_and_notes_at_once()
    {
        var output = new StringWriter();
        using var progress = new PlainProgress(output, 10, 0, new HandClock());
        progress.Validation(5, 2.25);
        progress.Note("Stopping.");
        Assert.Equal(["step 5, validation loss 2.2500", "Stopping."], output.ToString().TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public void A_history_of_many_steps_stays_small_and_keeps_the_mean()
    {
        var history = new LossHistory(16);
        for (int i = 0; i < 16 * 1024; i++)
        {
            history.Add(i);
        }

        Assert.InRange(history.Points.Length, 8, 16);
        Assert.Equal(((16 * 1024) - 1) / 2.0, history.Points.ToArray().Average(), 6);
        Assert.True(history.Points[0] < history.Points[^1]);
    }

    [Fact]
    public void A_loss_that_is_no_number_leaves_the_curve_alone()
    {
        var history = new LossHistory();
        history.Add(1);
        history.Add(double.NaN);
        history.Add(double.PositiveInfinity);
        Assert.Equal([1.0], history.Points.ToArray());
    }

    [Fact]
    public void A_falling_loss_draws_a_falling_curve()
    {
        IReadOnlyList<string> lines = LossCurve.Draw([4, 3, 2, 1], 10, 2);
        Assert.Equal(["  4.00 █▃  ", "  1.00 ██▆▁"], lines);
    }

    [Fact]
    public void A_curve_is_never_wider_than_asked()
    {
        double[] points = [.. Enumerable.Range(0, 1000).Select(i => Math.Sin(i * 0.01))];
        Assert.All(LossCurve.Draw(points, 30, 4), line => Assert.Equal(7 + 30, line.Length));
        Assert.Empty(LossCurve.Draw([1.0], 30, 4));
        Assert.Equal(3, LossCurve.Draw([2, 2, 2], 30, 3).Count);
    }

    [Fact]
    public void The_picture_fits_its_width()
    {
        var progress = new TrainingProgress(123_456, 0);
        for (int i = 1; i <= 1000; i++)
        {
            progress.Step(i, 5 - (i * 0.001), 12_345, 80, 9.1e-4);
        }

        progress.Validation(1000, 4.5);
        progress.Note("Stopping after this step.");
        var output = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        console.Write(LiveProgress.Render(progress.Picture(72, 5), 80));
        string[] lines = output.ToString().TrimEnd().Split('\n');
        Assert.All(lines, line => Assert.True(line.TrimEnd().Length <= 80, line));
        Assert.StartsWith("step 1000 of 123456 ", lines[0]);
        Assert.Contains("left", lines[0]);
        Assert.Contains("validation 4.5000 (step 1000)", lines[1]);
        Assert.Equal("Stopping after this step.", lines[^1].TrimEnd());
        Assert.Equal(2 + 5 + 1, lines.Length);
    }

    [Fact]
    public void A_live_display_leaves_its_last_picture_standing()
    {
        var output = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 100;
        using (var progress = new LiveProgress(console, 10, 0))
        {
            progress.Step(10, 1.5, 1000, 10, 1e-3);
        }

        Assert.Contains("step 10 of 10", output.ToString());
        Assert.Contains("1.5000", output.ToString());
    }

    [Theory]
    [InlineData(4.2, "4.2 s")]
    [InlineData(42, "42 s")]
    [InlineData(125, "2 min 05 s")]
    [InlineData(12_000, "3 h 20 min")]
    [InlineData(187_200, "2 d 4 h")]
    public void A_duration_shows_the_units_that_matter(double seconds, string text) =>
        Assert.Equal(text, Format.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("runs/a-1", "runs/a-1")]
    [InlineData("my runs/it's", "'my runs/it'\\''s'")]
    public void A_path_is_quoted_for_the_shell_when_it_must_be(string path, string quoted) => Assert.Equal(quoted, Format.Shell(path));
}
