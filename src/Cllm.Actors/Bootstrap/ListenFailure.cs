using System.Net.Sockets;
using Cllm.Model;

namespace Cllm.Actors.Bootstrap;

/// <summary>Says why a port cannot be listened at, which the library wraps in several exceptions.</summary>
internal static class ListenFailure
{
    /// <summary>Starts something that listens.</summary>
    /// <exception cref="InputException">The port is taken, or the address is not one of this machine.</exception>
    public static T Explain<T>(Func<T> start, NodeAddress listen)
    {
        try
        {
            return start();
        }
        catch (Exception failure) when (SocketFailure(failure) is { } socket)
        {
            var why = socket.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "another process listens there; choose another port",
                SocketError.AddressNotAvailable or SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                    "that is no address of this machine; name one of its own",
                SocketError.AccessDenied => "that needs more rights; choose a port above 1023",
                _ => socket.Message.TrimEnd('.'),
            };
            throw new InputException($"Nothing can listen at {listen}: {why}.", failure);
        }
    }

    /// <summary>Whether another process listens there.</summary>
    public static bool IsTaken(Exception failure) => SocketFailure(failure) is { SocketErrorCode: SocketError.AddressAlreadyInUse };

    private static SocketException? SocketFailure(Exception? failure) => failure switch
    {
        null => null,
        SocketException socket => socket,
        AggregateException many => many.InnerExceptions.Select(SocketFailure).FirstOrDefault(found => found is not null),
        _ => SocketFailure(failure.InnerException),
    };
}
