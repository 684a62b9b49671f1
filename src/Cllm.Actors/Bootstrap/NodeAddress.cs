using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cllm.Model;

namespace Cllm.Actors.Bootstrap;

/// <summary>Where a node listens or is called, as its user writes it: HOST:PORT, with brackets around an IPv6 address.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="Port">The port; 0 is any free one, where a node listens.</param>
public readonly record struct NodeAddress(string Host, int Port)
{
    /// <summary>Where a discovery packet would go; none is sent.</summary>
    private const int DiscardPort = 9;

    private static readonly string[] SeedProtocols = [$"akka.tcp://{ClusterSystem.Name}@", $"akka.ssl.tcp://{ClusterSystem.Name}@"];

    /// <summary>The host as it stands in an address with a port: with brackets around an IPv6 address.</summary>
    public string UriHost => Host.Contains(':') ? $"[{Host}]" : Host;

    /// <summary>Whether nobody outside of this machine can reach it.</summary>
    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Reads HOST:PORT, to listen there.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="name">What he wrote it for, such as --listen.</param>
    /// <exception cref="InputException">It is not of that form.</exception>
    public static NodeAddress Parse(string text, string name)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon];
        bool bracketed = host is ['[', .., ']'];
        host = bracketed ? host[1..^1] : host;
        if (host.Length == 0
            || host.Contains(':') != bracketed
            || Uri.CheckHostName(host) == UriHostNameType.Unknown
            || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > IPEndPoint.MaxPort)
        {
            throw new InputException($"{name} is '{text}' and must be HOST:PORT, for example 127.0.0.1:4053 or [::1]:4053.");
        }

        return new NodeAddress(host, port);
    }

    /// <summary>Reads HOST:PORT, to call whoever listens there.</summary>
    /// <exception cref="InputException">It is not of that form, or has port 0, at which nobody can be called.</exception>
    public static NodeAddress ParseCalled(string text, string name) => Parse(text, name) is { Port: > 0 } address
        ? address
        : throw new InputException($"{name} is '{text}', and nobody can be called at port 0; give the port that is listened at there.");

    /// <summary>Reads one of Akka.NET's seed nodes: its address as Akka.NET writes it, as in <c>akka.tcp://cllm@trainer:4053</c>, or HOST:PORT.</summary>
    /// <exception cref="InputException">It is neither.</exception>
    public static NodeAddress ParseSeed(string text)
    {
        string protocol = Array.Find(SeedProtocols, start => text.StartsWith(start, StringComparison.Ordinal)) ?? "";
        return ParseCalled(text[protocol.Length..], "A node in akka.cluster.seed-nodes");
    }

    /// <summary>An address of this machine, with any free port, from which the given one can be reached.</summary>
    /// <exception cref="InputException">The name is unknown, or there is no route to it.</exception>
    public static NodeAddress Facing(NodeAddress other)
    {
        if (other.IsLoopback)
        {
            return other with { Port = 0 };
        }

        try
        {
            // Connecting a datagram socket sends nothing: it only looks up the route, and the local address that belongs to it.
            IPAddress peer = Dns.GetHostAddresses(other.Host)[0];
            using var socket = new Socket(peer.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(peer, DiscardPort);
            return new NodeAddress(((IPEndPoint)socket.LocalEndPoint!).Address.ToString(), 0);
        }
        catch (SocketException failure)
        {
            throw new InputException(
                $"{other.Host} cannot be found from here ({failure.Message.TrimEnd('.')}); check the name, or give an address.", failure);
        }
    }

    /// <summary>The same for the first of several that can be found: a machine that is gone may have no name any more.</summary>
    /// <exception cref="InputException">None can be found.</exception>
    public static NodeAddress FacingAny(IReadOnlyList<NodeAddress> others)
    {
        foreach (NodeAddress other in others.SkipLast(1))
        {
            try
            {
                return Facing(other);
            }
            catch (InputException)
            {
                // The next one may have a name.
            }
        }

        return Facing(others[^1]);
    }

    /// <summary>As in <c>127.0.0.1:4053</c>.</summary>
    public override string ToString() => $"{UriHost}:{Port}";
}
