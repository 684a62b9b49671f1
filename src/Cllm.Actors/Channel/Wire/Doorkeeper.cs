using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Door;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// One thread that accepts connections and hears who they are. However many there are and whatever they say or do not say, the number of
/// those waiting is bounded and so is their time, and lanes that are open have threads of their own and notice nothing.
/// </summary>
/// <remarks>
/// When too many wait, the one that has waited longest is turned out: whoever knows the credential says it in the same instant in which
/// he connects, so a crowd that says nothing does not keep him out.
/// </remarks>
internal sealed class Doorkeeper : IDisposable
{
    /// <summary>Connections accepted before those waiting are looked at again.</summary>
    private const int AcceptedInARow = 16;

    private const int LookMicroseconds = 50_000;

    private const int IdleMicroseconds = 1_000_000;

    /// <summary>How long answering a stranger may take: the answer fits the socket's buffer.</summary>
    private const int FarewellMilliseconds = 1_000;

    private readonly Socket[] _listeners;
    private readonly ChannelLimits _limits;
    private readonly ChannelCounters? _counters;
    private readonly Action<Stranger> _begin;
    private readonly Action<Stranger> _enter;
    private readonly TurnedAway _turnedAway;
    private readonly List<Stranger> _waiting = [];
    private readonly List<Socket> _readable = [];
    private readonly ManualResetEventSlim _closed = new();
    private readonly Thread _thread;
    private volatile bool _closing;

    /// <param name="listeners">Listening, blocking.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="counters">Counts who is turned away.</param>
    /// <param name="begin">Begins to listen to a stranger.</param>
    /// <param name="enter">Takes a stranger who has been let in.</param>
    /// <param name="note">Told about those turned away, at most one sentence a second.</param>
    public Doorkeeper(
        Socket[] listeners, ChannelLimits limits, ChannelCounters? counters, Action<Stranger> begin, Action<Stranger> enter,
        Action<string>? note)
    {
        (_listeners, _limits, _counters, _begin, _enter) = (listeners, limits, counters, begin, enter);
        _turnedAway = new("the tensor channel", note);
        _thread = new(Run) { IsBackground = true, Name = "tensor channel" };
    }

    public void Start() => _thread.Start();

    /// <summary>Stops accepting, turns out who waits, and waits for the thread.</summary>
    public void Dispose()
    {
        _closing = true;
        _closed.Set();
        Array.ForEach(_listeners, listener => listener.Dispose());
        _thread.Join();
        _closed.Dispose();
    }

    private void Run()
    {
        while (!_closing)
        {
            WaitForSomebody();
            foreach (var listener in _listeners)
            {
                if (_readable.Remove(listener))
                {
                    Accept(listener);
                }
            }

            Hear();
        }

        foreach (var stranger in _waiting)
        {
            stranger.Dispose();
        }
    }

    /// <summary>Waits for a connection or for bytes of those waiting; their sockets are then in the list of the readable ones.</summary>
    private void WaitForSomebody()
    {
        _readable.Clear();
        _readable.AddRange(_listeners);
        _readable.AddRange(_waiting.Select(stranger => stranger.Socket));
        try
        {
            Socket.Select(_readable, null, null, _waiting.Count == 0 ? IdleMicroseconds : LookMicroseconds);
        }
        catch (Exception failure) when (LaneConnection.IsOfConnection(failure))
        {
            _readable.Clear();
        }
    }

    private void Accept(Socket listener)
    {
        for (var i = 0; i < AcceptedInARow && !_closing; i++)
        {
            if (NextCaller(listener) is not { } socket)
            {
                return;
            }

            Stranger? stranger = null;
            try
            {
                stranger = new(socket, Environment.TickCount64);
                LaneConnection.Prepare(socket, _limits, IPAddress.IsLoopback(stranger.Address));
                socket.SendTimeout = FarewellMilliseconds;
            }
            catch (Exception failure) when (LaneConnection.IsOfConnection(failure))
            {
                // It hung up before anything was said.
                socket.Dispose();
                continue;
            }

            MakeRoomFor(stranger);
            _waiting.Add(stranger);
            _begin(stranger);
        }
    }

    private Socket? NextCaller(Socket listener)
    {
        try
        {
            return listener.Poll(0, SelectMode.SelectRead) ? listener.Accept() : null;
        }
        catch (Exception failure) when (LaneConnection.IsOfConnection(failure))
        {
            // Most likely the process has no file descriptor left; who has waited longest gives his back, and else there is only to wait.
            if (_waiting.Count > 0)
            {
                TurnOut(_waiting[0], failure.Message);
            }
            else
            {
                _closed.Wait(LookMicroseconds / 1_000);
            }

            return null;
        }
    }

    private void MakeRoomFor(Stranger stranger)
    {
        if (_waiting.Count(other => other.Address.Equals(stranger.Address)) >= _limits.StrangersPerAddressMax)
        {
            TurnOut(_waiting.First(other => other.Address.Equals(stranger.Address)), "too many from its address wait");
        }

        if (_waiting.Count >= _limits.StrangersMax)
        {
            TurnOut(_waiting[0], "too many wait");
        }
    }

    private void Hear()
    {
        foreach (var socket in _readable)
        {
            _waiting.Find(stranger => stranger.Socket == socket)?.Readable();
        }

        var now = Environment.TickCount64;
        for (var i = _waiting.Count - 1; i >= 0; i--)
        {
            var stranger = _waiting[i];
            if (stranger.Judgement.IsCompleted)
            {
                Settle(stranger);
            }
            else if (now - stranger.Since > _limits.HandshakeMilliseconds)
            {
                TurnOut(stranger, $"it did not say who it is within {_limits.HandshakeMilliseconds} ms");
            }
        }
    }

    private void Settle(Stranger stranger)
    {
        if (stranger.Judgement.Result is not { } reason)
        {
            _waiting.Remove(stranger);
            _enter(stranger);
        }
        else if (stranger.HasHungUp)
        {
            _waiting.Remove(stranger);
            stranger.Dispose();
        }
        else
        {
            TurnOut(stranger, reason);
        }
    }

    private void TurnOut(Stranger stranger, string reason)
    {
        _waiting.Remove(stranger);
        stranger.Dispose();
        _counters?.Refused();
        _turnedAway.Tell(stranger.Address, reason);
    }
}
