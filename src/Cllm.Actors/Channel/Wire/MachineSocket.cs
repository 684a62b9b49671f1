using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cllm.Actors.Door;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// A second door of a server, for callers on its own machine: a Unix domain socket, over which the same bytes cost less than through the
/// layers of a network. What is said over it is what is said over TCP, credentials and certificates included.
/// </summary>
/// <remarks>
/// Its name lies in Linux's abstract namespace, so no file is left behind, and is the digest of the server's credential: both sides know it
/// without being told, and nobody can take it before the server does. Where there is no such socket (another system, a container with a
/// network of its own), the call goes over TCP.
/// </remarks>
internal static class MachineSocket
{
    private const string Prefix = "\0cllm-channel-";

    /// <summary>A socket that listens for callers of this machine; none where the system has no such thing.</summary>
    /// <param name="credential">The server's credential.</param>
    /// <param name="backlog">Callers that may wait.</param>
    public static Socket? Listen(ReadOnlySpan<byte> credential, int backlog)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            return Listening.Begin(NewSocket(), EndPoint(credential), backlog);
        }
        catch (SocketException)
        {
            // A process may be forbidden such sockets. TCP does the same.
            return null;
        }
    }

    /// <summary>Whether a host is certainly this machine.</summary>
    public static bool IsHere(string host) =>
        OperatingSystem.IsLinux() && (host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)));

    /// <summary>A socket to connect with.</summary>
    public static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Where the server with a credential listens.</summary>
    public static EndPoint EndPoint(ReadOnlySpan<byte> credential) =>
        new UnixDomainSocketEndPoint(Prefix + Convert.ToHexStringLower(SHA256.HashData(credential)));
}
