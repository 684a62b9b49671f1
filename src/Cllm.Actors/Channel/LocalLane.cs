using System.Runtime.InteropServices;
using Cllm.Numerics.Memory;

namespace Cllm.Actors.Channel;

/// <summary>A lane of a <see cref="LocalTransport"/>.</summary>
internal sealed class LocalLane : ITensorLane
{
    private readonly object _gate = new();
    private readonly ChannelAddress _peer;
    private readonly Func<LocalNode?> _find;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly AlignedBuffer _scratch = new(TensorChunk.BytesMax / sizeof(float));
    private LocalNode? _node;
    private ITensorReader? _reader;
    private TensorRequest _request;
    private ITensorDestination? _destination;
    private FetchEnded? _ended;
    private Thread? _runner;
    private bool _again;
    private bool _waits;
    private long _began;
    private volatile bool _busy;
    private volatile bool _cancelled;
    private volatile bool _disposed;

    public LocalLane(ChannelAddress peer, Func<LocalNode?> find, TimeProvider time)
    {
        (_peer, _find, _time) = (peer, find, time);
        _timer = time.CreateTimer(_ => Run(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

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

            (_request, _destination, _ended) = (request, destination, ended);
            (_began, _cancelled, _busy) = (_time.GetTimestamp(), _disposed, true);
        }

        Run();
    }

    public void Cancel()
    {
        if (_busy)
        {
            _cancelled = true;
            Run();
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Cancel();
        lock (_gate)
        {
            while (_runner is not null && _runner != Thread.CurrentThread)
            {
                Monitor.Wait(_gate);
            }
        }

        Leave();
        _timer.Dispose();
        _scratch.Dispose();
    }

    /// <summary>One thread at a time performs what there is to do; another that has news lets it look again.</summary>
    private void Run()
    {
        lock (_gate)
        {
            if (_runner is not null)
            {
                _again = true;
                return;
            }

            _runner = Thread.CurrentThread;
        }

        do
        {
            while (_busy && Attempt() is { } result)
            {
                var (request, ended) = (_request, _ended!);
                _waits = false;
                if (result.Outcome == FetchOutcome.Lost)
                {
                    Leave();
                }

                _busy = false;
                ended(request, result);
            }
        }
        while (!Rest());
    }

    private bool Rest()
    {
        lock (_gate)
        {
            if (_again)
            {
                _again = false;
                return false;
            }

            _runner = null;
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>How the fetch ended; none while it has to wait.</summary>
    private FetchResult? Attempt()
    {
        if (_cancelled)
        {
            return FetchResult.Cancelled;
        }

        if (_node is null or { Stopped: true } && Connect() is { } refused)
        {
            return refused;
        }

        try
        {
            var opening = _reader!.Open(_request);
            return opening.State switch
            {
                OpeningState.Refused => FetchResult.Refused(opening.Refusal),
                OpeningState.Ready => Transfer(),
                _ => Wait(),
            };
        }
        catch (Exception failure)
        {
            // As over a socket: what is wrong at the other node ends the fetch and not this one.
            return FetchResult.Refused(new(RefusalReason.Failed, $"Reading failed: {failure.Message}"));
        }
    }

    private FetchResult? Connect()
    {
        var wasConnected = _node is not null && _waits;
        Leave();
        var node = _find();
        if (wasConnected || node is null)
        {
            return FetchResult.Lost($"There is nobody at {_peer}.");
        }

        if (node.Credential != _peer.Credential)
        {
            return FetchResult.Refused(new(RefusalReason.WrongCredential, $"{_peer} does not know this credential."));
        }

        (_node, _reader) = (node, node.Store.CreateReader());
        node.Ended += Run;
        node.Store.Changed.Pulsed += Run;
        return null;
    }

    private void Leave()
    {
        if (_node is not null)
        {
            _node.Ended -= Run;
            _node.Store.Changed.Pulsed -= Run;
            _reader!.Dispose();
            (_node, _reader) = (null, null);
        }
    }

    private FetchResult Transfer()
    {
        var complete = false;
        var refusal = TensorRefusal.None;
        try
        {
            complete = CopyAll();
        }
        finally
        {
            refusal = _reader!.Close();
        }

        return _cancelled ? FetchResult.Cancelled
            : _node!.Stopped ? FetchResult.Lost($"{_peer} was lost.")
            : refusal.Reason != RefusalReason.None ? FetchResult.Refused(refusal)
            : complete ? FetchResult.Done
            : FetchResult.Refused(new(RefusalReason.Withdrawn, $"{_peer} could not read {_request} to its end."));
    }

    private bool CopyAll()
    {
        var scratch = MemoryMarshal.AsBytes(_scratch.Span);
        for (var section = 0; section < _request.Sections; section++)
        {
            for (long offset = 0; offset < _request.SectionBytes; offset += TensorChunk.BytesMax)
            {
                var length = TensorChunk.Length(_request.SectionBytes, offset);
                var chunk = _reader!.Read(section, offset, length, scratch);
                if (chunk.Length != length || _cancelled || _node!.Stopped)
                {
                    return false;
                }

                chunk.CopyTo(_destination!.Chunk(_request, section, offset, length));
            }
        }

        return true;
    }

    /// <summary>A timer that was set for an earlier fetch does no harm: it only lets the lane look again.</summary>
    private FetchResult? Wait()
    {
        var left = TimeSpan.FromMilliseconds(_request.WaitMilliseconds) - _time.GetElapsedTime(_began);
        if (left <= TimeSpan.Zero)
        {
            return FetchResult.Refused(new(RefusalReason.NotYet, "It is not there yet."));
        }

        _waits = true;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        return null;
    }
}
