using System.Diagnostics;
using Cllm.Model.Compute;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks.Exchange;

/// <summary>A worker that has its gradient already: it notes when it was asked and answers.</summary>
/// <param name="gradient">The gradient. Disposed with this.</param>
/// <param name="leaf">How long a leaf takes: in this time nothing is computed, so what runs beside a leaf can end.</param>
/// <param name="fetched">Bytes that the process has fetched so far.</param>
/// <param name="tell">Gets each mark.</param>
internal sealed class MarkingWorker(AlignedBuffer gradient, TimeSpan leaf, Func<long> fetched, Action<StepMark> tell) : IWorkerCompute
{
    private readonly ManualResetEventSlim _never = new();

    public int ComputeNode(long step, int level, int index, Span<double> leafLosses, GradientSettled? settled = null)
    {
        var (ready, processor) = (Stopwatch.GetTimestamp(), StepMark.Processor);
        _never.Wait(leaf);
        leafLosses.Fill(1);
        tell(new(step, ready, processor, Stopwatch.GetTimestamp(), StepMark.Processor, fetched()));
        return 0;
    }

    public ReadOnlySpan<float> Buffer(int number) => gradient.Span;

    public void ReleaseBuffers()
    {
        // There is one buffer, and its content stays.
    }

    public void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses) => unitLosses.Clear();

    public void Dispose()
    {
        gradient.Dispose();
        _never.Dispose();
    }
}
