using Cllm.Actors.Channel.Wire;

namespace Cllm.Actors.Channel;

/// <summary>A lane over a socket. It has a thread of its own, which connects, asks, receives and calls the fetch's delegate.</summary>
/// <remarks>
/// Once connected, a fetch allocates nothing. A cancelled fetch closes the connection, because the other side may be sending; the next one
/// connects again.
/// </remarks>
public sealed class TensorLane : ITensorLane
{
    private const int StackBytes = 512 * 1024;

    private readonly object _gate = new();
    private readonly ChannelLimits _limits;
    private readonly LaneDialer _dialer;
    private readonly LaneFetch _fetch;
    private readonly ChannelAddress _peer;
    private readonly Thread _thread;
    private volatile LaneConnection? _connection;
    private TensorRequest _request;
    private ITensorDestination? _destination;
    private FetchEnded? _ended;
    private bool _busy;
    private volatile bool _cancelled;
    private volatile bool _disposed;
    private int _failures;
    private long _failedAt;

    /// <summary>Prepares a lane and starts its thread; nothing is connected before the first fetch.</summary>
    /// <param name="peer">The node.</param>
    /// <param name="lane">The lane's number among this process's lanes to it.</param>
    /// <param name="identity">Who asks.</param>
    /// <param name="limits">Bounds; the usual ones when not given.</param>
    /// <param name="tls">TLS; plain when not given.</param>
    /// <param name="counters">Counts the bytes.</param>
    /// <exception cref="FormatException">The address's credential is none.</exception>
    public TensorLane(
        ChannelAddress peer, int lane, ChannelIdentity identity, ChannelLimits? limits = null, ChannelTls? tls = null,
        ChannelCounters? counters = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lane);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, ITensorTransport.LanesMax);
        _ = ChannelCredential.Parse(peer.Credential);
        _peer = peer;
        _limits = limits ?? new();
        _dialer = new(peer, identity, _limits, tls, lane, () => _cancelled);
        _fetch = new(peer, _limits, counters);
        _thread = new(Run, StackBytes) { IsBackground = true, Name = $"lane {lane} to node {peer.Node}" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Fetch(in TensorRequest request, ITensorDestination destination, FetchEnded ended)
    {
        lock (_gate)
        {
            if (_busy)
            {
                throw new InvalidOperationException($"The lane to {_peer} is busy with {_request}; a lane takes one fetch at a time.");
            }

            if (!destination.Fits(request))
            {
                throw new InvalidOperationException($"The destination has no room for {request}.");
            }

            if (!_disposed)
            {
                (_request, _destination, _ended, _cancelled, _busy) = (request, destination, ended, false, true);
                Monitor.PulseAll(_gate);
                return;
            }
        }

        ended(request, FetchResult.Cancelled);
    }

    /// <inheritdoc/>
    public void Cancel()
    {
        lock (_gate)
        {
            if (_busy && !_cancelled)
            {
                _cancelled = true;
                Monitor.PulseAll(_gate);
                _dialer.Abort();
                _connection?.Abort();
            }
        }
    }

    /// <summary>
    /// Cancels the fetch under way and ends the thread. After it returns nothing is written to any destination any more.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }

        Cancel();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        while (WaitForWork())
        {
            var result = Perform();
            FetchEnded ended;
            TensorRequest request;
            lock (_gate)
            {
                (ended, request) = (_ended!, _request);
                (_destination, _ended, _busy) = (null, null, false);
            }

            ended(request, result);
        }

        _connection?.Dispose();
        _dialer.Dispose();
    }

    private bool WaitForWork()
    {
        lock (_gate)
        {
            while (!_busy && !_disposed)
            {
                Monitor.Wait(_gate);
            }

            return _busy;
        }
    }

    private FetchResult Perform()
    {
        var wasConnected = _connection is not null;
        var result = Attempt();
        if (result.Outcome == FetchOutcome.Lost && wasConnected && !_fetch.HasAnswer && !_cancelled)
        {
            // The connection had been idle and was dead already, so nothing says that the peer is.
            result = Attempt();
        }

        return _cancelled && result.Outcome != FetchOutcome.Done ? FetchResult.Cancelled : result;
    }

    private FetchResult Attempt()
    {
        if (_connection is null && Connect() is { } failure)
        {
            return failure;
        }

        var connection = _connection!;
        var result = _fetch.Perform(connection, _request, _destination!);
        if (result.Outcome is not (FetchOutcome.Done or FetchOutcome.Refused) || connection.Aborted)
        {
            Disconnect();
        }

        return result;
    }

    private FetchResult? Connect()
    {
        PauseAfterFailures();
        if (_cancelled)
        {
            return FetchResult.Cancelled;
        }

        var connection = _dialer.Connect(out var failure);
        if (connection is null)
        {
            _failures++;
            _failedAt = Environment.TickCount64;
            return failure;
        }

        _failures = 0;
        lock (_gate)
        {
            _connection = connection;
            if (_cancelled)
            {
                connection.Abort();
            }
        }

        return null;
    }

    private void Disconnect()
    {
        lock (_gate)
        {
            _connection?.Dispose();
            _connection = null;
        }
    }

    private void PauseAfterFailures()
    {
        if (_failures == 0)
        {
            return;
        }

        var pause = Math.Min((long)_limits.BackoffMillisecondsMin << Math.Min(_failures - 1, 16), _limits.BackoffMillisecondsMax);
        var until = _failedAt + pause;
        lock (_gate)
        {
            while (!_cancelled && until - Environment.TickCount64 is > 0 and var left)
            {
                Monitor.Wait(_gate, (int)left);
            }
        }
    }
}

/// <summary>Opens lanes over sockets: what a process that takes part in a cluster has one of.</summary>
/// <param name="identity">Who asks.</param>
/// <param name="limits">Bounds; the usual ones when not given.</param>
/// <param name="tls">TLS; plain when not given.</param>
/// <param name="counters">Counts the bytes of all lanes.</param>
public sealed class SocketTransport(
    ChannelIdentity identity, ChannelLimits? limits = null, ChannelTls? tls = null, ChannelCounters? counters = null) : ITensorTransport
{
    /// <inheritdoc/>
    public ITensorLane Open(ChannelAddress peer, int lane) => new TensorLane(peer, lane, identity, limits, tls, counters);
}
