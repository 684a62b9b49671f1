using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cllm.Cli.Display;

/// <summary>Progress as a picture that its own thread redraws eight times a second; the training thread only leaves its numbers.</summary>
public sealed class LiveProgress : IProgressDisplay
{
    private static readonly TimeSpan BetweenPictures = TimeSpan.FromMilliseconds(125);
    private const int CurveRows = 5;

    private readonly IAnsiConsole _console;
    private readonly TrainingProgress _progress;
    private readonly ManualResetEventSlim _over = new();
    private readonly Thread _painter;

    /// <summary>Starts to draw a run of <paramref name="steps"/> steps, <paramref name="firstStep"/> of which are done.</summary>
    public LiveProgress(IAnsiConsole console, long steps, long firstStep)
    {
        _console = console;
        _progress = new TrainingProgress(steps, firstStep);
        _painter = new Thread(Paint) { IsBackground = true, Name = "progress" };
        _painter.Start();
    }

    /// <inheritdoc/>
    public void Step(long done, double loss, double tokensPerSecond, double milliseconds, double learningRate) =>
        _progress.Step(done, loss, tokensPerSecond, milliseconds, learningRate);

    /// <inheritdoc/>
    public void Validation(long done, double loss) => _progress.Validation(done, loss);

    /// <inheritdoc/>
    public void Note(string text) => _progress.Note(text);

    /// <summary>Draws the last picture and leaves it standing.</summary>
    public void Dispose()
    {
        _over.Set();
        _painter.Join();
        _over.Dispose();
    }

    private void Paint() => _console.Live(Text.Empty).Start(context =>
    {
        bool over;
        do
        {
            over = _over.Wait(BetweenPictures);
            context.UpdateTarget(Render());
        }
        while (!over);
    });

    private IRenderable Render()
    {
        int width = Math.Clamp(_console.Profile.Width, 40, 100);
        return Render(_progress.Picture(width - 8, CurveRows), width);
    }

    /// <summary>The picture: a bar, the numbers, the loss curve, the note.</summary>
    public static IRenderable Render(ProgressPicture now, int width)
    {
        var lines = new List<IRenderable> { Bar(now, width), Numbers(now) };
        lines.AddRange(now.Curve.Select(line => new Text(line, new Style(Color.Green))));
        lines.AddRange(now.Notes.Select(note => new Text(note, new Style(Color.Yellow))));
        return new Rows(lines);
    }

    private static Markup Bar(ProgressPicture now, int width)
    {
        double share = now.Steps == 0 ? 1 : (double)now.Done / now.Steps;
        string left = now.Left is { } time && now.Done < now.Steps ? $"{Format.Duration(time)} left" : now.Done == now.Steps ? "done" : "";
        string text = $"step {now.Done} of {now.Steps}";
        int columns = Math.Max(width - text.Length - left.Length - 9, 8);
        int full = (int)(share * columns);
        string bar = $"[green]{new string('━', full)}[/][grey]{new string('─', columns - full)}[/]";
        return new Markup($"[bold]{text}[/] {bar} {share,4:P0} {left}");
    }

    private static Markup Numbers(ProgressPicture now)
    {
        if (double.IsNaN(now.Loss))
        {
            return new Markup("[grey]waiting for the first step[/]");
        }

        string validation = now.Validation is { } v ? $"   validation [bold]{Format.Loss(v.Loss)}[/] (step {v.Step})" : "";
        string speed = $"{Format.Count(now.TokensPerSecond)} tokens/s   lr {now.LearningRate:G3}";
        return new Markup($"loss [bold]{Format.Loss(now.LossMean)}[/]{validation}   {speed}");
    }
}
