namespace Cllm.Cli.Display;

/// <summary>
/// The course of a loss in fixed memory: when the points are full, neighbours are averaged and each stands for twice as many steps.
/// </summary>
public sealed class LossHistory
{
    private readonly double[] _points;
    private int _count;
    private int _stepsPerPoint = 1;
    private double _open;
    private int _openSteps;

    /// <summary>Creates a history of at most <paramref name="pointsMax"/> points, an even number.</summary>
    public LossHistory(int pointsMax = 256)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pointsMax, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pointsMax % 2, 0);
        _points = new double[pointsMax];
    }

    /// <summary>The points so far, the newest last: means over equally many steps each.</summary>
    public ReadOnlySpan<double> Points => _points.AsSpan(0, _count);

    /// <summary>Adds one step's loss; a loss that is no number is left out.</summary>
    public void Add(double loss)
    {
        if (!double.IsFinite(loss))
        {
            return;
        }

        _open += loss;
        _openSteps++;
        if (_openSteps < _stepsPerPoint)
        {
            return;
        }

        _points[_count++] = _open / _openSteps;
        _open = 0;
        _openSteps = 0;
        if (_count == _points.Length)
        {
            Halve();
        }
    }

    private void Halve()
    {
        _count /= 2;
        _stepsPerPoint *= 2;
        for (int i = 0; i < _count; i++)
        {
            _points[i] = (_points[2 * i] + _points[(2 * i) + 1]) / 2;
        }
    }
}
