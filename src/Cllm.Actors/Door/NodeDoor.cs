using System.Net;
using System.Net.Sockets;

namespace Cllm.Actors.Door;

/// <summary>
/// Where others reach a node's actor system. It accepts connections and passes them on to the actor system, which itself listens on this machine only: Akka.Remote
/// takes any number of connections and keeps them for as long as whoever called likes, until the process has no file descriptor left. Here their number is bounded,
/// and so is the time in which a stranger has to show that he is of a node.
/// </summary>
/// <remarks>
/// When too many strangers are there, whoever has been there longest is turned out: a node shows what it is in the instant in which it connects, so a crowd that
/// says nothing does not keep it out. Bytes are passed on as they are, so that TLS goes from end to end.
/// </remarks>
internal sealed class NodeDoor : IDisposable
{
    private readonly DoorLimits _limits;
    private readonly Socket[] _listeners;
    private readonly TurnedAway _turnedAway;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();

    /// <summary>Who is there, in the order in which they came.</summary>
    private readonly List<Passage> _passages = [];

    private NodeDoor(Socket[] listeners, DoorLimits limits, Action<string>? note)
    {
        (_listeners, _limits) = (listeners, limits);
        _turnedAway = new($"port {Port}", note);
    }

    /// <summary>Where others call.</summary>
    public int Port => ((IPEndPoint)_listeners[0].LocalEndPoint!).Port;

    /// <summary>Listens, and takes nobody in yet.</summary>
    /// <param name="host">An address of this machine, or a name of it: then at all its addresses, for callers may choose any.</param>
    /// <param name="port">0 is any free one.</param>
    /// <param name="note">Told about those turned away.</param>
    /// <param name="limits">Bounds; the usual ones when none are given.</param>
    /// <exception cref="SocketException">Nothing can listen there.</exception>
    public static NodeDoor Listen(string host, int port, Action<string>? note, DoorLimits? limits = null) =>
        Listen(IPAddress.TryParse(host, out var parsed) ? [parsed] : [.. Dns.GetHostAddresses(host).Distinct()], port, note, limits);

    /// <summary>Listens at those of the addresses that this machine has: a name may stand for more, as localhost does for ::1 where IPv6 is switched off.</summary>
    /// <inheritdoc cref="Listen(string, int, Action{string}?, DoorLimits?)"/>
    internal static NodeDoor Listen(ReadOnlySpan<IPAddress> addresses, int port, Action<string>? note, DoorLimits? limits = null)
    {
        var listeners = new List<Socket>();
        var missing = new SocketException((int)SocketError.HostNotFound);
        try
        {
            foreach (var address in addresses)
            {
                try
                {
                    var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                    listeners.Add(Listening.Begin(listener, new IPEndPoint(address, port), int.MaxValue));
                    port = ((IPEndPoint)listeners[0].LocalEndPoint!).Port;
                }
                catch (SocketException failure) when (failure.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
                {
                    missing = failure;
                }
            }

            return listeners.Count > 0 ? new([.. listeners], limits ?? new(), note) : throw missing;
        }
        catch (SocketException)
        {
            listeners.ForEach(listener => listener.Dispose());
            throw;
        }
    }

    /// <summary>From now on whoever calls is passed on.</summary>
    /// <param name="inside">Where the actor system listens.</param>
    public void Open(IPEndPoint inside)
    {
        foreach (var listener in _listeners)
        {
            _ = AcceptAsync(listener, inside);
        }

        _ = LookAsync();
    }

    public void Dispose()
    {
        _closing.Cancel();
        Array.ForEach(_listeners, listener => listener.Dispose());
        lock (_gate)
        {
            _passages.ForEach(passage => passage.Dispose());
        }
    }

    private async Task AcceptAsync(Socket listener, IPEndPoint inside)
    {
        while (!_closing.IsCancellationRequested)
        {
            if (await NextCallerAsync(listener).ConfigureAwait(false) is { } caller && Admit(caller) is { } passage)
            {
                _ = LeadAsync(passage, inside);
            }
        }
    }

    private async Task<Socket?> NextCallerAsync(Socket listener)
    {
        try
        {
            return await listener.AcceptAsync(_closing.Token).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            // Most likely the process has no file descriptor left; who has been a stranger longest gives his back, and else there is only to wait.
            TurnOut(static _ => true, failure.Message);
            await Task.Delay(_limits.LookMilliseconds, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            // The door is closed.
        }

        return null;
    }

    private Passage? Admit(Socket caller)
    {
        Passage passage;
        try
        {
            passage = new(caller, Environment.TickCount64);
        }
        catch (SocketException)
        {
            // It hung up before anything was said.
            caller.Dispose();
            return null;
        }

        lock (_gate)
        {
            MakeRoomFor(passage.Address);
            if (_passages.Count >= _limits.NodesMax + _limits.StrangersMax || _closing.IsCancellationRequested)
            {
                _turnedAway.Tell(passage.Address, "too many nodes are connected");
                passage.Dispose();
                return null;
            }

            _passages.Add(passage);
        }

        return passage;
    }

    private void MakeRoomFor(IPAddress address)
    {
        if (_passages.Count(other => !other.IsOfNode && other.Address.Equals(address)) >= _limits.StrangersPerAddressMax)
        {
            TurnOut(other => other.Address.Equals(address), "too many from its address are there");
        }

        if (_passages.Count(other => !other.IsOfNode) >= _limits.StrangersMax)
        {
            TurnOut(static _ => true, "too many are there that have not shown what they are");
        }
    }

    private async Task LeadAsync(Passage passage, IPEndPoint inside)
    {
        await passage.RunAsync(inside).ConfigureAwait(false);
        lock (_gate)
        {
            _passages.Remove(passage);
        }
    }

    /// <summary>Turns out those who have been strangers for too long.</summary>
    private async Task LookAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(_limits.LookMilliseconds));
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token).ConfigureAwait(false))
            {
                var last = Environment.TickCount64 - _limits.HandshakeMilliseconds;
                while (TurnOut(passage => passage.Since < last, $"it did not show within {_limits.HandshakeMilliseconds} ms that it is of a node"))
                {
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The door is closed.
        }
    }

    /// <summary>Turns out the stranger who has been there longest, of those that are meant.</summary>
    private bool TurnOut(Predicate<Passage> isMeant, string reason)
    {
        lock (_gate)
        {
            var stranger = _passages.FindIndex(passage => !passage.IsOfNode && isMeant(passage));
            if (stranger < 0)
            {
                return false;
            }

            var passage = _passages[stranger];
            _passages.RemoveAt(stranger);
            _turnedAway.Tell(passage.Address, reason);
            passage.Dispose();
            return true;
        }
    }
}
