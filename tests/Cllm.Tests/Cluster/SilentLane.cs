using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;

namespace Cllm.Tests.Cluster;

/// <summary>A lane on which nothing comes but what a test has come.</summary>
internal sealed class SilentLane : ITensorLane
{
    private ITensorDestination? _destination;

    public List<TensorRequest> Asked { get; } = [];

    public int Cancels { get; private set; }

    /// <summary>Node 1's end of a channel that has this lane and no other.</summary>
    public NodeChannel Channel => new(new(1, "here", 1, ""), new SilentTransport(this), this);

    public void Fetch(in TensorRequest request, ITensorDestination destination, FetchEnded ended)
    {
        Asked.Add(request);
        _destination = destination;
    }

    public void ReceiveFirstChunk() => _destination!.Chunk(Asked[^1], 0, 0, sizeof(float));

    public void Cancel() => Cancels++;

    public void Dispose()
    {
        // Nothing is open.
    }
}

/// <summary>Opens the same lane wherever to.</summary>
file sealed class SilentTransport(SilentLane opened) : ITensorTransport
{
    public ITensorLane Open(ChannelAddress peer, int lane) => opened;
}
