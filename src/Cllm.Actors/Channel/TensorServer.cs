using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel.Wire;
using Cllm.Actors.Door;

namespace Cllm.Actors.Channel;

/// <summary>
/// Serves a node's store to other nodes: listens, hears who calls, and gives everybody who knows the credential and works on the same run
/// a lane with a thread of its own.
/// </summary>
public sealed class TensorServer : IDisposable
{
    private const int Backlog = 512;

    private readonly object _gate = new();
    private readonly Dictionary<(int Node, int Lane), ServedLane> _lanes = [];
    private readonly HashSet<ServedLane> _running = [];
    private readonly ITensorStore _store;
    private readonly ChannelIdentity _identity;
    private readonly ChannelLimits _limits;
    private readonly ChannelCounters? _counters;
    private readonly byte[] _run;
    private readonly byte[] _credentialBytes;
    private readonly Doorkeeper _doorkeeper;
    private bool _disposed;

    /// <summary>Begins to listen.</summary>
    /// <param name="listen">Address and port; port 0 takes a free one.</param>
    /// <param name="store">What is served. It stays its owner's, who disposes of what it reads after this.</param>
    /// <param name="identity">Who serves.</param>
    /// <param name="limits">Bounds; the usual ones when not given.</param>
    /// <param name="tls">TLS; plain when not given.</param>
    /// <param name="counters">Counts the bytes and the strangers.</param>
    /// <param name="note">Told about those turned away, at most one sentence a second.</param>
    /// <exception cref="Model.InputException">The address cannot be listened on.</exception>
    public TensorServer(
        IPEndPoint listen, ITensorStore store, ChannelIdentity identity, ChannelLimits? limits = null, ChannelTls? tls = null,
        ChannelCounters? counters = null, Action<string>? note = null)
    {
        (_store, _identity, _limits, _counters) = (store, identity, limits ?? new(), counters);
        Credential = ChannelCredential.Draw();
        _credentialBytes = ChannelCredential.Parse(Credential);
        _run = identity.Run.ToArray();
        var listener = Listen(listen);
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        var isForMachine = _limits.HasMachineSocket && IPAddress.IsLoopback(listen.Address);
        var here = isForMachine ? MachineSocket.Listen(_credentialBytes, Backlog) : null;
        Socket[] doors = here is null ? [listener] : [listener, here];
        _doorkeeper = new(doors, _limits, counters, stranger => stranger.Begin(tls, _credentialBytes, _run, Admit), Enter, note);
        _doorkeeper.Start();
    }

    /// <summary>Where it listens, with the real port.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>What opens it: drawn when it was made.</summary>
    public string Credential { get; }

    /// <summary>Lanes that are open.</summary>
    public int Lanes
    {
        get
        {
            lock (_gate)
            {
                return _running.Count;
            }
        }
    }

    /// <summary>How other nodes reach it.</summary>
    /// <param name="host">The name or address under which they reach this machine; the one it listens on when not given.</param>
    public ChannelAddress Address(string? host = null) =>
        new(_identity.Node, host ?? EndPoint.Address.ToString(), EndPoint.Port, Credential);

    /// <summary>Closes all lanes and waits for their threads: nothing of the store is read any more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _doorkeeper.Dispose();
        ServedLane[] lanes;
        lock (_gate)
        {
            lanes = [.. _running];
        }

        // Those that wait for the store are woken, all at once: there may be hundreds.
        foreach (var lane in lanes)
        {
            lane.Abort();
        }

        _store.Changed.Pulse();
        foreach (var lane in lanes)
        {
            lane.Dispose();
        }
    }

    private static Socket Listen(IPEndPoint endPoint)
    {
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            return Listening.Begin(listener, endPoint, Backlog);
        }
        catch (SocketException failure)
        {
            throw new Model.InputException(
                $"The tensor channel cannot listen on {endPoint} ({failure.SocketErrorCode}); choose another address or port.", failure);
        }
    }

    /// <summary>Whether there is room for one more lane, or it takes the place of one of the same name.</summary>
    private RefusalReason Admit(Hello hello)
    {
        lock (_gate)
        {
            return _running.Count < _limits.LanesMax || _lanes.ContainsKey((hello.Node, hello.Lane))
                ? RefusalReason.None
                : RefusalReason.Busy;
        }
    }

    private void Enter(Stranger stranger)
    {
        var connection = stranger.Connection!;
        try
        {
            connection.Settle(_limits);
            var lane = new ServedLane(connection, stranger.Hello, _store, _limits, _counters, Leave);
            lock (_gate)
            {
                if (_lanes.TryGetValue((lane.Hello.Node, lane.Hello.Lane), out var older))
                {
                    // Its owner has opened another connection, so nobody reads from this one any more.
                    older.Abort();
                }

                _lanes[(lane.Hello.Node, lane.Hello.Lane)] = lane;
                _running.Add(lane);
            }

            lane.Start();
        }
        catch (Exception failure) when (LaneConnection.IsOfConnection(failure) || failure is OutOfMemoryException)
        {
            connection.Dispose();
        }
    }

    private void Leave(ServedLane lane)
    {
        lock (_gate)
        {
            _running.Remove(lane);
            if (_lanes.TryGetValue((lane.Hello.Node, lane.Hello.Lane), out var current) && current == lane)
            {
                _lanes.Remove((lane.Hello.Node, lane.Hello.Lane));
            }
        }
    }
}
