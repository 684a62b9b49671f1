using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Model;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Bootstrap;

/// <summary>A process's end of the tensor channel, at the host that its actor system listens at.</summary>
public static class ClusterChannel
{
    /// <summary>Begins to serve.</summary>
    /// <param name="network">How the process takes part.</param>
    /// <param name="node">Its number.</param>
    /// <param name="run">What the run is: others are not served.</param>
    /// <param name="store">What it serves.</param>
    /// <param name="counters">Counts what goes through.</param>
    /// <param name="note">Told about those turned away.</param>
    /// <exception cref="InputException">The port cannot be listened at.</exception>
    public static NodeChannel Open(
        ClusterSystem network, NodeId node, RunIdentity run, ITensorStore store, ChannelCounters? counters = null, Action<string>? note = null)
    {
        var listen = network.Listen with { Port = Hocon.ChannelPort(network.Hocon) };
        WhoMayJoin.Require(listen, network.Certificates is not null);
        return SocketChannel.Open(
            EndPoint(listen), listen.Host, store, Identity(node, run), tls: network.Certificates?.Channel, counters: counters, note: note);
    }

    /// <summary>The lanes of a process that serves nothing yet.</summary>
    public static ITensorTransport Caller(ClusterSystem network, NodeId node, RunIdentity run) =>
        new SocketTransport(Identity(node, run), tls: network.Certificates?.Channel);

    private static ChannelIdentity Identity(NodeId node, RunIdentity run) => new(node.Number, run.ToString());

    private static IPEndPoint EndPoint(NodeAddress listen)
    {
        if (IPAddress.TryParse(listen.Host, out var address))
        {
            return new(address, listen.Port);
        }

        try
        {
            // The actor system takes the first IPv4 address of a name too.
            var all = Dns.GetHostAddresses(listen.Host);
            return new(all.FirstOrDefault(found => found.AddressFamily == AddressFamily.InterNetwork) ?? all[0], listen.Port);
        }
        catch (SocketException failure)
        {
            throw new InputException($"{listen.Host} is no name of this machine ({failure.Message.TrimEnd('.')}); name one of its own.", failure);
        }
    }
}
