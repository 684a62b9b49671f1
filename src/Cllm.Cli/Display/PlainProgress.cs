namespace Cllm.Cli.Display;

/// <summary>Progress as lines, for logs: about forty over a run, and never silent for longer than twenty seconds of steps.</summary>
public sealed class PlainProgress : IProgressDisplay
{
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(20);

    private readonly TextWriter _output;
    private readonly TrainingProgress _progress;
    private readonly TimeProvider _clock;
    private readonly long _stepsPerLine;
    private readonly Lock _gate = new();
    private long _lastLine;
    private bool _any;

    /// <summary>Creates the display of a run of <paramref name="steps"/> steps, <paramref name="firstStep"/> of which are done.</summary>
    public PlainProgress(TextWriter output, long steps, long firstStep, TimeProvider clock)
    {
        _output = output;
        _progress = new TrainingProgress(steps, firstStep);
        _clock = clock;
        _stepsPerLine = RoundUp(steps / 40);
        Steps = steps;
    }

    private long Steps { get; }

    /// <inheritdoc/>
    public void Step(long done, double loss, double tokensPerSecond, double milliseconds, double learningRate)
    {
        _progress.Step(done, loss, tokensPerSecond, milliseconds, learningRate);
        if (_any && done % _stepsPerLine != 0 && done != Steps && _clock.GetElapsedTime(_lastLine) < SilenceMax)
        {
            return;
        }

        _any = true;
        _lastLine = _clock.GetTimestamp();
        ProgressPicture now = _progress.Picture();
        string left = now.Done == now.Steps ? ", done" : now.Left is { } time ? $", {Format.Duration(time)} left" : "";
        Line($"step {now.Done} of {now.Steps}, loss {Format.Loss(now.Loss)}, {Format.Count(now.TokensPerSecond)} tokens/s{left}");
    }

    /// <inheritdoc/>
    public void Validation(long done, double loss) => Line($"step {done}, validation loss {Format.Loss(loss)}");

    /// <inheritdoc/>
    public void Note(string text) => Line(text);

    /// <inheritdoc/>
    public void Dispose() => _output.Flush();

    private void Line(string text)
    {
        lock (_gate)
        {
            _output.WriteLine(text);
            _output.Flush();
        }
    }

    /// <summary>The next of 1, 2, 5, 10, 20, 50 and so on: lines at round steps.</summary>
    private static long RoundUp(long value)
    {
        long round = 1;
        while (round < value)
        {
            round = round.ToString()[0] == '2' ? round / 2 * 5 : round * 2;
        }

        return round;
    }
}
