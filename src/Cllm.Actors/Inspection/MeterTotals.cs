using System.Diagnostics.Metrics;

namespace Cllm.Actors.Inspection;

/// <summary>Adds up what the instruments of <see cref="RunMeter"/> measure in this process. Measuring takes no memory once an instrument's labels have been seen.</summary>
public sealed class MeterTotals : IDisposable
{
    /// <summary>Upper bounds of a histogram's buckets, in seconds.</summary>
    private static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly MeterListener _listener = new();
    private readonly List<Series> _series = [];

    /// <summary>Begins to listen; what was measured before is not known.</summary>
    public MeterTotals()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == RunMeter.Name)
            {
                var series = new Series(instrument);
                lock (_series)
                {
                    _series.Add(series);
                }

                listener.EnableMeasurementEvents(instrument, series);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => ((Series)state!).Add(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => ((Series)state!).Add(value, tags));
        _listener.Start();
        RunMeter.CountNothing();
    }

    /// <summary>Writes all totals in the text format that Prometheus reads.</summary>
    public void Write(PrometheusText text)
    {
        lock (_series)
        {
            foreach (var series in _series)
            {
                series.Write(text);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>One instrument: a point for each set of labels.</summary>
    private sealed class Series(Instrument instrument)
    {
        private const int PointsMax = 64;

        private readonly bool _isHistogram = instrument is Histogram<double>;
        private readonly List<Point> _points = [];

        public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (_points)
            {
                Find(tags)?.Add(value, _isHistogram);
            }
        }

        public void Write(PrometheusText text)
        {
            lock (_points)
            {
                var name = Name();
                text.Head(name, instrument.Description ?? "", _isHistogram ? "histogram" : "counter");
                foreach (var point in _points)
                {
                    point.Write(text, name, _isHistogram);
                }
            }
        }

        private string Name()
        {
            var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "");
            return _isHistogram ? name : name + "_total";
        }

        private Point? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var point in _points)
            {
                if (point.Has(tags))
                {
                    return point;
                }
            }

            if (_points.Count == PointsMax)
            {
                return null;
            }

            _points.Add(new(tags.ToArray()));
            return _points[^1];
        }
    }

    private sealed class Point(KeyValuePair<string, object?>[] tags)
    {
        private readonly long[] _buckets = new long[Bounds.Length];
        private double _sum;
        private long _count;

        public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> others)
        {
            if (others.Length != tags.Length)
            {
                return false;
            }

            for (var i = 0; i < tags.Length; i++)
            {
                if (tags[i].Key != others[i].Key || !Equals(tags[i].Value, others[i].Value))
                {
                    return false;
                }
            }

            return true;
        }

        public void Add(double value, bool isHistogram)
        {
            _sum += value;
            _count++;
            for (var i = 0; isHistogram && i < Bounds.Length; i++)
            {
                _buckets[i] += value <= Bounds[i] ? 1 : 0;
            }
        }

        public void Write(PrometheusText text, string name, bool isHistogram)
        {
            (string, string)[] labels = [.. tags.Select(tag => (tag.Key, tag.Value?.ToString() ?? ""))];
            if (!isHistogram)
            {
                text.Sample(name, _sum, labels);
                return;
            }

            for (var i = 0; i < Bounds.Length; i++)
            {
                text.Sample(name + "_bucket", _buckets[i], [.. labels, ("le", PrometheusText.Number(Bounds[i]))]);
            }

            text.Sample(name + "_bucket", _count, [.. labels, ("le", "+Inf")]);
            text.Sample(name + "_sum", _sum, labels);
            text.Sample(name + "_count", _count, labels);
        }
    }
}
