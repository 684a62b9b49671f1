using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote.Transport.DotNetty;
using Cllm.Actors.Door;
using Cllm.Model;

namespace Cllm.Actors.Bootstrap;

/// <summary>How a process takes part in a run's cluster: what its actor systems are started with.</summary>
/// <remarks>
/// It listens at one address and port, that others call it by. Certificates, where there are any, are shown by both sides of every
/// connection. Nothing here is part of a run that nobody can join: that starts without cluster and without network.
/// </remarks>
public sealed record ClusterSystem
{
    /// <summary>Every actor system of every run has this name; runs are told apart by where they are.</summary>
    public const string Name = "cllm";

    /// <summary>Role of the processes that the run's coordinator may run in.</summary>
    public const string CoordinatorRole = "coordinator";

    /// <summary>Role of the processes with workers.</summary>
    public const string WorkerRole = "worker";

    /// <summary>Where a node listens, if that is not the address by which others reach it: behind a translation of addresses, in a container.</summary>
    internal const string BindKey = "akka.remote.dot-netty.tcp.bind-hostname";

    /// <summary>Ports that are tried for the actor system behind the door.</summary>
    private const int InsideTriesMax = 5;

    /// <summary>The configuration: akka.hocon and what was laid over it.</summary>
    public required Config Hocon { get; init; }

    /// <summary>Where it listens.</summary>
    public required NodeAddress Listen { get; init; }

    /// <summary>Its certificate, and whose are accepted; none for a run that only this machine can reach.</summary>
    public NodeCertificates? Certificates { get; init; }

    /// <summary>The roles.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [WorkerRole];

    /// <summary>Processes of the run that may coordinate it: 1, or an odd number.</summary>
    public int Coordinators { get; init; } = 1;

    /// <summary>The address under which a node's actor system is known.</summary>
    public Address AddressOf(NodeAddress node) => new(Certificates is null ? "akka.tcp" : "akka.ssl.tcp", Name, node.UriHost, node.Port);

    /// <summary>Finds out whether the address can be listened at, before anything is done that would be in vain.</summary>
    /// <exception cref="InputException">It cannot, or others could reach it without certificates.</exception>
    public void RequireFree() => ListenAtDoor(null).Dispose();

    /// <summary>Starts the actor system of a node, which is a member of no cluster yet, behind a door that ends with it.</summary>
    /// <param name="note">Told about strangers that are turned away; any thread.</param>
    /// <exception cref="InputException">The port cannot be listened at, or others could reach it without certificates.</exception>
    public ActorSystem StartNode(Action<string>? note = null) => StartNode(FreePort, note);

    /// <summary>The same, where somebody says which ports of this machine are free.</summary>
    internal ActorSystem StartNode(Func<int> freePort, Action<string>? note = null)
    {
        var door = ListenAtDoor(note);
        try
        {
            var (system, inside) = StartInside(NodeText(door.Port), freePort);
            NodeShutdown.Get(system).ThenRelease(door);
            door.Open(inside);
            return system;
        }
        catch
        {
            door.Dispose();
            throw;
        }
    }

    /// <summary>Starts an actor system that only asks: it is no member of a cluster and listens at a port of its own.</summary>
    /// <param name="objection">Told what speaks against the certificate of whoever is called; any thread.</param>
    /// <exception cref="InputException">The host is not one of this machine, or others could reach it without certificates.</exception>
    public ActorSystem StartCaller(Action<string> objection)
    {
        RequireWhoMayJoin();
        return Start("akka.actor.provider = remote", Listen with { Port = 0 }, objection);
    }

    /// <summary>A port that nobody else on this machine listens at.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void RequireWhoMayJoin()
    {
        WhoMayJoin.Require(Listen, Certificates is not null);
        WhoMayJoin.Require(Hocon, Certificates is not null);
    }

    private NodeDoor ListenAtDoor(Action<string>? note)
    {
        RequireWhoMayJoin();
        var host = Hocon.GetString(BindKey, "") is { Length: > 0 } bind ? bind : Listen.Host;
        return ListenFailure.Explain(() => NodeDoor.Listen(host, Listen.Port, note), Listen);
    }

    /// <summary>
    /// A majority of the processes that may coordinate: with one of them, whoever cannot reach it leaves; with three, whoever cannot reach two. Whom to join is said
    /// by the process when it is ready, and not found out by Akka.NET as soon as it starts.
    /// </summary>
    private string NodeText(int port) => $$"""
        akka {
          remote.dot-netty.tcp.public-hostname = "{{Listen.UriHost}}"
          remote.dot-netty.tcp.public-port = {{port}}
          actor.provider = cluster
          cluster.seed-nodes = []
          cluster.roles = [{{string.Join(", ", Roles)}}]
          cluster.split-brain-resolver.static-quorum.quorum-size = {{(Coordinators / 2) + 1}}
        }
        {{NodeShutdown.Text}}
        """;

    /// <summary>Akka.NET takes no socket that listens already, so another process may have a free port before it: then there is another one.</summary>
    private (ActorSystem System, IPEndPoint At) StartInside(string text, Func<int> freePort)
    {
        for (var tries = 1; ; tries++)
        {
            var inside = new IPEndPoint(IPAddress.Loopback, freePort());
            try
            {
                return (Start(text, new($"{inside.Address}", inside.Port), _ => { }), inside);
            }
            catch (InputException failure) when (tries < InsideTriesMax && ListenFailure.IsTaken(failure))
            {
            }
        }
    }

    private ActorSystem Start(string text, NodeAddress listen, Action<string> objection)
    {
        var tcp = $$"""
            akka.remote.dot-netty.tcp {
              hostname = "{{listen.UriHost}}"
              port = {{listen.Port}}
              enable-ssl = {{(Certificates is null ? "off" : "on")}}
            }
            """;
        var config = ConfigurationFactory.ParseString(text).WithFallback(ConfigurationFactory.ParseString(tcp)).WithFallback(Hocon);
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config));
        if (Certificates is { } certificates)
        {
            // The name is not checked: nodes are called by addresses that nobody knew when the certificates were made. Who has one is in.
            CertificateValidationCallback trusts = (other, _, _, _, _) =>
            {
                var reason = certificates.ObjectionTo(other);
                if (reason is not null)
                {
                    objection(reason);
                }

                return reason is null;
            };
            setup = setup.And(new DotNettySslSetup(certificates.Own, suppressValidation: false, requireMutualAuthentication: true, trusts));
        }

        return ListenFailure.Explain(() => ActorSystem.Create(Name, setup), listen);
    }
}
