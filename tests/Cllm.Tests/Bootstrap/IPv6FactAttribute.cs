using System.Net;
using System.Net.Sockets;

namespace Cllm.Tests.Bootstrap;

/// <summary>A fact that needs the machine's own address of IPv6, which some containers do not have.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class IPv6FactAttribute : FactAttribute
{
    private static readonly Lazy<bool> CanListen = new(() =>
    {
        try
        {
            using var listener = new TcpListener(IPAddress.IPv6Loopback, 0);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    });

    public IPv6FactAttribute() => Skip = CanListen.Value ? null! : "This machine has no address of IPv6.";
}
