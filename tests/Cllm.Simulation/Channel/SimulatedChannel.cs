using Cllm.Actors.Channel;

namespace Cllm.Simulation.Channel;

/// <summary>
/// The tensor channel of a simulated cluster: what fetches promise, in virtual time and one thread. It passes the conformance tests of the sockets, as far as
/// they are about fetches; what a wire needs beside (frames, checksums, connections, strangers) is not modelled.
/// </summary>
internal sealed class SimulatedChannel(IChannelWorld world)
{
    private readonly Dictionary<(string Host, int Port), ServedNode> _nodes = [];

    public IChannelWorld World => world;

    /// <summary>A node gives out its store at an address from now on.</summary>
    public void Serve(ChannelAddress address, ITensorStore store) => _nodes.Add((address.Host, address.Port), new(world, address, store));

    /// <summary>A node is no more: fetches from it that are under way, and later ones, are lost.</summary>
    public void Stop(ChannelAddress address)
    {
        if (_nodes.Remove((address.Host, address.Port), out var node))
        {
            node.Stop();
        }
    }

    /// <summary>The channel as the node of a number sees it.</summary>
    public ITensorTransport For(int node) => new Transport(this, node);

    public ServedNode? Find(ChannelAddress address) => _nodes.GetValueOrDefault((address.Host, address.Port));

    private sealed class Transport(SimulatedChannel channel, int node) : ITensorTransport
    {
        public ITensorLane Open(ChannelAddress peer, int lane) => new SimulatedLane(channel, node, peer);
    }
}

/// <summary>A node that gives out its store.</summary>
internal sealed class ServedNode
{
    private readonly IChannelWorld _world;
    private readonly ChannelAddress _address;
    private bool _isLooking;

    public ServedNode(IChannelWorld world, ChannelAddress address, ITensorStore store)
    {
        (_world, _address, Store) = (world, address, store);
        store.Changed.Pulsed += Look;
    }

    /// <summary>The store has changed. Told behind the change, and once however many changes there were.</summary>
    public event Action? Changed;

    /// <summary>The node is no more.</summary>
    public event Action? Ended;

    public ITensorStore Store { get; }

    public string Credential => _address.Credential;

    public void Stop()
    {
        Store.Changed.Pulsed -= Look;
        Ended?.Invoke();
    }

    private void Look()
    {
        if (!_isLooking)
        {
            _isLooking = true;
            _world.After(0, () =>
            {
                _isLooking = false;
                Changed?.Invoke();
            });
        }
    }
}
