using System.Net;
using System.Net.Sockets;

namespace Cllm.Actors.Door;

/// <summary>A socket that listens, or none.</summary>
internal static class Listening
{
    /// <summary>Listens. A socket that cannot is disposed.</summary>
    /// <param name="listener">A new socket.</param>
    /// <param name="at">Where.</param>
    /// <param name="backlog">Callers that may wait.</param>
    /// <returns>The same socket.</returns>
    /// <exception cref="SocketException">Nothing can listen there.</exception>
    public static Socket Begin(Socket listener, EndPoint at, int backlog)
    {
        try
        {
            listener.Bind(at);
            listener.Listen(backlog);
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
    }
}
