using System.Collections.Concurrent;

namespace Cllm.Actors.Channel;

/// <summary>
/// The channel within one process: a lane calls the other node's store. For tests and simulated clusters; it passes the same conformance
/// tests as the sockets.
/// </summary>
/// <remarks>
/// It has no threads. A fetch is performed by the thread that begins it, and one that has to wait by the thread that pulses the store's
/// signal, cancels the fetch or stops the node; its delegate is called there.
/// </remarks>
/// <param name="time">Measures how long a fetch waits; the system's clock when none is given.</param>
public sealed class LocalTransport(TimeProvider? time = null) : ITensorTransport
{
    private readonly ConcurrentDictionary<(string Host, int Port), LocalNode> _nodes = new();

    /// <summary>A node gives out its store at an address from now on.</summary>
    /// <param name="address">Host and port, unique in this transport, and the credential that a lane must have.</param>
    /// <param name="store">What it gives out.</param>
    /// <exception cref="InvalidOperationException">There is a node at that address.</exception>
    public void Serve(ChannelAddress address, ITensorStore store)
    {
        if (!_nodes.TryAdd((address.Host, address.Port), new LocalNode(address, store)))
        {
            throw new InvalidOperationException($"There is a node at {address.Host}:{address.Port} already.");
        }
    }

    /// <summary>A node is no more: fetches from it that are under way, and later ones, are lost.</summary>
    public void Stop(ChannelAddress address)
    {
        if (_nodes.TryRemove((address.Host, address.Port), out var node))
        {
            node.Stop();
        }
    }

    /// <inheritdoc/>
    public ITensorLane Open(ChannelAddress peer, int lane)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lane);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, ITensorTransport.LanesMax);
        return new LocalLane(peer, () => _nodes.GetValueOrDefault((peer.Host, peer.Port)), time ?? TimeProvider.System);
    }
}

/// <summary>A node of a <see cref="LocalTransport"/>.</summary>
internal sealed class LocalNode(ChannelAddress address, ITensorStore store)
{
    private volatile bool _stopped;

    public event Action? Ended;

    public ITensorStore Store => store;

    public string Credential => address.Credential;

    public bool Stopped => _stopped;

    public void Stop()
    {
        _stopped = true;
        Ended?.Invoke();
    }
}
