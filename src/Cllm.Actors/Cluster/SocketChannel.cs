using System.Net;
using Cllm.Actors.Channel;

namespace Cllm.Actors.Cluster;

/// <summary>A process's end of the tensor channel over sockets.</summary>
public static class SocketChannel
{
    /// <summary>Opens it.</summary>
    /// <param name="listen">Address and port; port 0 takes a free one.</param>
    /// <param name="host">The name or address under which other processes reach this machine; the one it listens at when not given.</param>
    /// <param name="store">What it gives out.</param>
    /// <param name="identity">Who this process is.</param>
    /// <param name="limits">Bounds; the usual ones when not given.</param>
    /// <param name="tls">TLS; plain when not given.</param>
    /// <param name="counters">Counts bytes and strangers.</param>
    /// <param name="note">Told about those turned away.</param>
    /// <exception cref="Model.InputException">The address cannot be listened at.</exception>
    public static NodeChannel Open(
        IPEndPoint listen, string? host, ITensorStore store, ChannelIdentity identity,
        ChannelLimits? limits = null, ChannelTls? tls = null, ChannelCounters? counters = null, Action<string>? note = null)
    {
        var server = new TensorServer(listen, store, identity, limits, tls, counters, note);
        return new(server.Address(host), new SocketTransport(identity, limits, tls, counters), server);
    }
}
