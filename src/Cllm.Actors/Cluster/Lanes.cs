using Cllm.Actors.Channel;

namespace Cllm.Actors.Cluster;

/// <summary>Which lane is for what: those of one shard to one node, so that none waits behind another.</summary>
internal static class Lanes
{
    private const int PerPurpose = ITensorTransport.LanesMax / 4;

    /// <summary>A shard's slice, or what becomes of it, into this process's state.</summary>
    public static int Slice(int shard) => shard;

    /// <summary>Gradients for a shard.</summary>
    public static int Gradient(int shard) => PerPurpose + shard;

    /// <summary>Checkpoints of the coordinator's process.</summary>
    public const int Checkpoint = 2 * PerPurpose;
}

/// <summary>A lane that is opened to whichever node it is wanted to.</summary>
internal sealed class MovingLane(ITensorTransport transport, int number) : IDisposable
{
    private ITensorLane? _lane;
    private ChannelAddress? _peer;

    /// <summary>The lane to a node. Not while a fetch is under way.</summary>
    public ITensorLane To(ChannelAddress peer)
    {
        if (_lane is null || _peer != peer)
        {
            _lane?.Dispose();
            (_lane, _peer) = (transport.Open(peer, number), peer);
        }

        return _lane;
    }

    /// <summary>Ends the fetch under way.</summary>
    public void Cancel() => _lane?.Cancel();

    public void Dispose()
    {
        _lane?.Dispose();
        _lane = null;
    }
}
