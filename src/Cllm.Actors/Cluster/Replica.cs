using Cllm.Actors.Channel;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>A copy of a slice that another node owns: weights and both moments.</summary>
internal sealed class Replica : IDisposable
{
    private readonly AlignedBuffer _weights;
    private readonly AlignedBuffer _first;
    private readonly AlignedBuffer _second;

    public Replica(ParameterRange range)
    {
        (_weights, _first, _second) = (new(range.Length), new(range.Length), new(range.Length));
        Destination = new(range.Offset, _weights, _first, _second);
    }

    /// <summary>Where it is fetched to.</summary>
    public BufferDestination Destination { get; }

    /// <summary>The step at which it stands; none while it is being fetched, and when that failed.</summary>
    public Step? Step { get; set; }

    /// <summary>Puts it into a state.</summary>
    public void CopyTo(RunState state, ParameterRange range)
    {
        _weights.Span.CopyTo(state.Weights.Span.Slice(range.Offset, range.Length));
        _first.Span.CopyTo(state.FirstMoment.Span.Slice(range.Offset, range.Length));
        _second.Span.CopyTo(state.SecondMoment.Span.Slice(range.Offset, range.Length));
    }

    public void Dispose()
    {
        _weights.Dispose();
        _first.Dispose();
        _second.Dispose();
    }
}
