using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>What training changes: weights and both Adam moments, each one flat vector, shared by all workers and shards of a process.</summary>
public sealed class RunState : IDisposable
{
    /// <summary>Allocates zeros for a layout.</summary>
    public RunState(ParameterLayout layout)
    {
        Layout = layout;
        Weights = new AlignedBuffer(layout.Length);
        FirstMoment = new AlignedBuffer(layout.Length);
        SecondMoment = new AlignedBuffer(layout.Length);
    }

    /// <summary>Where each tensor lies.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>The weights.</summary>
    public AlignedBuffer Weights { get; }

    /// <summary>Running mean of the gradient.</summary>
    public AlignedBuffer FirstMoment { get; }

    /// <summary>Running mean of the squared gradient.</summary>
    public AlignedBuffer SecondMoment { get; }

    /// <summary>Copies another state of the same layout into this one.</summary>
    public void CopyFrom(RunState other)
    {
        other.Weights.Span.CopyTo(Weights.Span);
        other.FirstMoment.Span.CopyTo(FirstMoment.Span);
        other.SecondMoment.Span.CopyTo(SecondMoment.Span);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Weights.Dispose();
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }
}
