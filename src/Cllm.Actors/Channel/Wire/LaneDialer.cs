using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Cllm.Actors.Channel.Wire;

/// <summary>Connects a lane: socket, TLS where wanted, hello and welcome. Blocking, with one deadline over all of it.</summary>
internal sealed class LaneDialer : IDisposable
{
    private readonly ChannelAddress _peer;
    private readonly ChannelIdentity _identity;
    private readonly ChannelLimits _limits;
    private readonly ChannelTls? _tls;
    private readonly int _lane;
    private readonly Func<bool> _cancelled;
    private readonly Timer _deadline;
    private Socket? _socket;
    private string? _objection;
    private volatile bool _isLate;

    public LaneDialer(ChannelAddress peer, ChannelIdentity identity, ChannelLimits limits, ChannelTls? tls, int lane, Func<bool> cancelled)
    {
        (_peer, _identity, _limits, _tls, _lane, _cancelled) = (peer, identity, limits, tls, lane, cancelled);
        _deadline = new(_ =>
        {
            _isLate = true;
            Abort();
        });
    }

    /// <summary>Opens a connection.</summary>
    /// <param name="failure">Why there is none.</param>
    public LaneConnection? Connect(out FetchResult failure)
    {
        (_objection, _isLate) = (null, false);
        LaneConnection? connection = null;
        failure = FetchResult.Lost($"{_peer} did not let this node in within {_limits.ConnectMilliseconds} ms.");
        _deadline.Change(_limits.ConnectMilliseconds, Timeout.Infinite);
        try
        {
            connection = Open();
            connection.Settle(_limits);
            var greeted = SayHello(connection, failure);
            failure = _isLate ? failure : greeted;
        }
        catch (Exception problem) when (LaneConnection.IsOfConnection(problem) || problem is ArgumentException)
        {
            failure = Explain(problem, failure);
        }
        finally
        {
            _deadline.Change(Timeout.Infinite, Timeout.Infinite);
        }

        if (connection is not null && failure.Outcome == FetchOutcome.Done)
        {
            _socket = null;
            return connection;
        }

        Abort();
        connection?.Dispose();
        return null;
    }

    /// <summary>Ends an attempt that another thread is at.</summary>
    public void Abort() => Volatile.Read(ref _socket)?.Dispose();

    public void Dispose()
    {
        Abort();
        _deadline.Dispose();
    }

    private LaneConnection Open()
    {
        if (MachineSocket.IsHere(_peer.Host) && OpenHere() is { } connection)
        {
            return connection;
        }

        var addresses = IPAddress.TryParse(_peer.Host, out var literal) ? [literal] : Dns.GetHostAddresses(_peer.Host);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        for (var i = 0; ; i++)
        {
            try
            {
                return Open(new(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp), new IPEndPoint(addresses[i], _peer.Port));
            }
            catch (SocketException) when (i + 1 < addresses.Length)
            {
                // A name may have addresses that lead nowhere; the next one is tried.
            }
        }
    }

    /// <summary>Over the machine's own kind of socket; none when the server has no door for that.</summary>
    private LaneConnection? OpenHere()
    {
        try
        {
            var socket = MachineSocket.NewSocket();
            // What bounds the wait for a place in the server's queue: here the deadline's abort would not.
            socket.SendTimeout = _limits.ConnectMilliseconds;
            return Open(socket, MachineSocket.EndPoint(ChannelCredential.Parse(_peer.Credential)));
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private LaneConnection Open(Socket socket, EndPoint endPoint)
    {
        Interlocked.Exchange(ref _socket, socket)?.Dispose();
        // Whoever cancels says so first and aborts then: either this sees it or the abort sees this socket.
        ObjectDisposedException.ThrowIf(_cancelled(), socket);
        LaneConnection.Prepare(socket, _limits, MachineSocket.IsHere(_peer.Host));
        socket.Connect(endPoint);
        if (_tls is null)
        {
            return new(socket, null);
        }

        var tls = new SslStream(new SocketStream(socket, new RecordsAhead(socket)));
        try
        {
            tls.AuthenticateAsClient(_tls.ForClient(_peer.Host, reason => _objection = reason));
            return new(socket, tls);
        }
        catch
        {
            tls.Dispose();
            throw;
        }
    }

    private FetchResult SayHello(LaneConnection connection, in FetchResult late)
    {
        Span<byte> welcome = stackalloc byte[FrameHeader.Bytes];
        var hello = Hello.Frame(_identity.Run, ChannelCredential.Parse(_peer.Credential), _identity.Node, _lane);
        var flow = connection.Write(hello);
        flow = flow == Flow.Done ? connection.Read(welcome) : flow;
        if (flow != Flow.Done)
        {
            return flow == Flow.Silent ? late : FetchResult.Lost(_tls is null
                ? $"{_peer} closed the connection before it let this node in."
                : $"{_peer} closed the connection during the handshake; its log says why,"
                    + " most likely that it does not accept this node's certificate.");
        }

        if (!FrameHeader.TryRead(welcome, out var header, out var fault) || header.Type != FrameType.Welcome)
        {
            return fault == FrameFault.Version
                ? Refused(RefusalReason.OtherVersion)
                : FetchResult.Mismatch($"What answers at {_peer.Host}:{_peer.Port} is no tensor channel.");
        }

        return header.Code == 0 ? FetchResult.Done : Refused((RefusalReason)header.Code);
    }

    private FetchResult Refused(RefusalReason reason) => FetchResult.Refused(new(reason, $"{_peer} refuses this node: " + reason switch
    {
        RefusalReason.WrongCredential => "the credential is not the one it gave out; it may have been started again since.",
        RefusalReason.OtherRun => "it works on another run.",
        RefusalReason.OtherVersion => "it speaks another version of the channel; install the same version of the program on both.",
        RefusalReason.Busy => "it has as many lanes as it allows.",
        _ => $"{reason}.",
    }));

    private FetchResult Explain(Exception problem, in FetchResult late) => problem switch
    {
        _ when _objection is { } objection =>
            FetchResult.Refused(new(RefusalReason.Certificate, $"{_peer} is not accepted: {objection}.")),
        _ when _isLate => late,
        System.Security.Authentication.AuthenticationException =>
            FetchResult.Refused(new(RefusalReason.Certificate, $"{_peer} and this node did not agree on TLS: {problem.Message}")),
        _ => FetchResult.Lost($"{_peer} cannot be reached: {problem.Message}"),
    };
}
