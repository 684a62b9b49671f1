namespace Cllm.Cli.Display;

/// <summary>
/// How far a run is. Written by the thread that trains, read by the one that draws; neither waits longer than a few additions take.
/// </summary>
/// <param name="steps">Steps of the whole run.</param>
/// <param name="firstStep">Steps already done when this part began.</param>
public sealed class TrainingProgress(long steps, long firstStep)
{
    /// <summary>Weight of the newest step in the running means of loss and time: about the last twenty steps count.</summary>
    private const double Newest = 0.1;

    private const int NotesMax = 3;

    private readonly Lock _gate = new();
    private readonly LossHistory _history = new();
    private long _done = firstStep;
    private double _loss = double.NaN;
    private double _lossMean = double.NaN;
    private double _tokensPerSecond;
    private double _millisecondsMean;
    private double _learningRate;
    private long _seen;
    private (long Step, double Loss)? _validation;
    private readonly Queue<string> _notes = new();

    /// <summary>Adds one finished step.</summary>
    /// <param name="done">Steps done so far, this one included.</param>
    /// <param name="loss">Its loss in nats per token.</param>
    /// <param name="tokensPerSecond">Its speed.</param>
    /// <param name="milliseconds">Its time.</param>
    /// <param name="learningRate">Its learning rate.</param>
    public void Step(long done, double loss, double tokensPerSecond, double milliseconds, double learningRate)
    {
        lock (_gate)
        {
            _done = done;
            _loss = loss;
            _learningRate = learningRate;
            _lossMean = Blend(_lossMean, loss);
            // The first step also compiles the kernels, so its time says nothing about the others'.
            bool first = _seen++ <= 1;
            _millisecondsMean = first ? milliseconds : Blend(_millisecondsMean, milliseconds);
            _tokensPerSecond = first ? tokensPerSecond : Blend(_tokensPerSecond, tokensPerSecond);
            _history.Add(loss);
        }
    }

    /// <summary>Adds an evaluation on held-out text.</summary>
    public void Validation(long done, double loss)
    {
        lock (_gate)
        {
            _validation = (done, loss);
        }
    }

    /// <summary>Adds a line that says what is going on besides steps; the newest few are kept.</summary>
    public void Note(string text)
    {
        lock (_gate)
        {
            _notes.Enqueue(text);
            if (_notes.Count > NotesMax)
            {
                _notes.Dequeue();
            }
        }
    }

    /// <summary>How things stand now.</summary>
    /// <param name="curveColumns">Columns of the loss curve; 0 draws none.</param>
    /// <param name="curveRows">Lines of the loss curve.</param>
    public ProgressPicture Picture(int curveColumns = 0, int curveRows = 0)
    {
        lock (_gate)
        {
            TimeSpan? left = _seen < 2 ? null : TimeSpan.FromMilliseconds((steps - _done) * _millisecondsMean);
            return new ProgressPicture(
                _done, steps, _loss, _lossMean, _learningRate, _tokensPerSecond, left, _validation, [.. _notes],
                LossCurve.Draw(_history.Points, curveColumns, curveRows));
        }
    }

    private static double Blend(double mean, double value) => double.IsFinite(mean) ? mean + (Newest * (value - mean)) : value;
}

/// <summary>How a run stands at one moment.</summary>
/// <param name="Done">Steps done.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Loss">Loss of the newest step; no number before the first.</param>
/// <param name="LossMean">Running mean of the loss.</param>
/// <param name="LearningRate">Learning rate of the newest step.</param>
/// <param name="TokensPerSecond">Running mean of the speed.</param>
/// <param name="Left">Time to the end at that speed; null before the second step.</param>
/// <param name="Validation">The newest evaluation and the steps done at it.</param>
/// <param name="Notes">What is going on besides steps, the newest last.</param>
/// <param name="Curve">The loss curve's lines.</param>
public sealed record ProgressPicture(
    long Done,
    long Steps,
    double Loss,
    double LossMean,
    double LearningRate,
    double TokensPerSecond,
    TimeSpan? Left,
    (long Step, double Loss)? Validation,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Curve);
