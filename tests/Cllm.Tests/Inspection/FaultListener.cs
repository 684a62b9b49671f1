using System.Diagnostics.Metrics;
using Cllm.Actors.Inspection;

namespace Cllm.Tests.Inspection;

/// <summary>What the thread that made it has counted of faults since: other tests count beside it.</summary>
internal sealed class FaultListener : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, long> _counts = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public FaultListener()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == RunMeter.Name && instrument.Name == "cllm.faults")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(value, (string)tags[0].Value!));
        _listener.Start();
    }

    public long this[string kind] => _counts.GetValueOrDefault(kind);

    public void Dispose() => _listener.Dispose();

    private void Add(long value, string kind)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            Assert.True(value >= 0, "a counter does not go back");
            _counts[kind] = this[kind] + value;
        }
    }
}
