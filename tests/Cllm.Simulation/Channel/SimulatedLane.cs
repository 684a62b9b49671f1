using Cllm.Actors.Channel;

namespace Cllm.Simulation.Channel;

/// <summary>
/// A lane of a <see cref="SimulatedChannel"/>. A request travels, is answered when what it names is there, and comes back chunk by chunk, each at its own
/// time: so a peer dies, a link is cut or a slice changes amid a transfer, and the receiver holds a part that counts for nothing.
/// </summary>
internal sealed class SimulatedLane(SimulatedChannel channel, int self, ChannelAddress peer) : ITensorLane
{
    private const long Millisecond = 10_000;

    /// <summary>A peer that is silent for so long is given up.</summary>
    private const long SilenceTicks = 3000 * Millisecond;

    [ThreadStatic]
    private static byte[]? _scratch;

    /// <summary>The connection; none before the first fetch and after a failure.</summary>
    private ServedNode? _node;
    private ITensorReader? _reader;

    /// <summary>The fetch under way; none most of the time.</summary>
    private Fetching? _fetch;
    private bool _isDisposed;

    public void Fetch(in TensorRequest request, ITensorDestination destination, FetchEnded ended)
    {
        if (_fetch is { } other)
        {
            throw new InvalidOperationException($"The lane to {peer} is busy with {other.Request}; a lane takes one fetch at a time.");
        }

        if (!destination.Fits(request))
        {
            throw new InvalidOperationException($"The destination has no room for {request}.");
        }

        var fetch = _fetch = new(request, destination, ended);
        if (_isDisposed)
        {
            End(FetchResult.Cancelled);
        }
        else
        {
            Travel(self, peer.Node, fetch, () => Arrive(fetch));
        }
    }

    public void Cancel()
    {
        if (_fetch is not null)
        {
            Leave();
            End(FetchResult.Cancelled);
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        Cancel();
        Leave();
    }

    /// <summary>Goes on with a fetch at the other end of a link, if it is not over by then; where nothing passes, the fetch is lost.</summary>
    private void Travel(int from, int to, Fetching fetch, Action then)
    {
        var passage = channel.World.Passage(from, to);
        channel.World.After(passage ?? SilenceTicks, () =>
        {
            if (_fetch != fetch)
            {
                return;
            }

            if (passage is null)
            {
                Lose($"{peer} is silent.");
            }
            else
            {
                then();
            }
        });
    }

    private void Arrive(Fetching fetch)
    {
        if (_node is null && Connect() is { } refused)
        {
            Answer(fetch, refused);
            return;
        }

        channel.World.After(fetch.Request.WaitMilliseconds * Millisecond, () => GiveUp(fetch));
        Open(fetch);
    }

    private FetchResult? Connect()
    {
        if (channel.Find(peer) is not { } node)
        {
            return FetchResult.Lost($"There is nobody at {peer}.");
        }

        if (node.Credential != peer.Credential)
        {
            return FetchResult.Refused(new(RefusalReason.WrongCredential, $"{peer} does not know this credential."));
        }

        (_node, _reader) = (node, node.Store.CreateReader());
        node.Ended += LosePeer;
        node.Changed += Look;
        return null;
    }

    private void Open(Fetching fetch)
    {
        try
        {
            var opening = _reader!.Open(fetch.Request);
            fetch.State = opening.State == OpeningState.NotYet ? FetchState.Waiting : FetchState.Open;
            if (opening.State == OpeningState.Refused)
            {
                fetch.State = FetchState.Answered;
                Answer(fetch, FetchResult.Refused(opening.Refusal));
            }
            else if (opening.State == OpeningState.Ready)
            {
                Travel(peer.Node, self, fetch, () => TakeChunk(fetch, 0, 0));
            }
        }
        catch (Exception failure)
        {
            Answer(fetch, Failure(failure));
        }
    }

    /// <summary>The store has changed: what was not there may be.</summary>
    private void Look()
    {
        if (_fetch is { State: FetchState.Waiting } fetch)
        {
            Open(fetch);
        }
    }

    private void GiveUp(Fetching fetch)
    {
        if (_fetch == fetch && fetch.State == FetchState.Waiting)
        {
            fetch.State = FetchState.Answered;
            Answer(fetch, FetchResult.Refused(new(RefusalReason.NotYet, "It is not there yet.")));
        }
    }

    private void TakeChunk(Fetching fetch, int section, long offset)
    {
        if (channel.World.Breaks())
        {
            Lose($"The connection to {peer} broke off.");
            return;
        }

        var length = TensorChunk.Length(fetch.Request.SectionBytes, offset);
        length = fetch.Request.Kind == TensorKind.Gradient ? length : Math.Min(length, channel.World.ChunkBytesMax);
        if (Read(fetch, section, offset, length) is { } failure)
        {
            End(failure);
            return;
        }

        if (_fetch != fetch)
        {
            return;
        }

        var (nextSection, next) = offset + length < fetch.Request.SectionBytes ? (section, offset + length) : (section + 1, 0);
        if (nextSection < fetch.Request.Sections)
        {
            Travel(peer.Node, self, fetch, () => TakeChunk(fetch, nextSection, next));
        }
        else
        {
            var refusal = Close(fetch);
            End(refusal.Reason == RefusalReason.None ? FetchResult.Done : FetchResult.Refused(refusal));
        }
    }

    /// <summary>Reads a chunk at the peer and writes it here.</summary>
    /// <returns>How the fetch has failed; none when it goes on.</returns>
    private FetchResult? Read(Fetching fetch, int section, long offset, int length)
    {
        try
        {
            var chunk = _reader!.Read(section, offset, length, _scratch ??= new byte[TensorChunk.BytesMax]);
            if (chunk.Length != length)
            {
                var refusal = Close(fetch);
                return FetchResult.Refused(refusal.Reason != RefusalReason.None ? refusal : new(RefusalReason.Withdrawn, $"{peer} could not read on."));
            }

            chunk.CopyTo(fetch.Destination.Chunk(fetch.Request, section, offset, length));
            return null;
        }
        catch (Exception failure)
        {
            Close(fetch);
            return Failure(failure);
        }
    }

    /// <summary>As over a socket: what is wrong at the other node ends the fetch and not this one.</summary>
    private static FetchResult Failure(Exception failure) =>
        FetchResult.Refused(new(RefusalReason.Failed, $"Reading failed: {failure.Message}"));

    private TensorRefusal Close(Fetching fetch)
    {
        if (fetch.State != FetchState.Open)
        {
            return TensorRefusal.None;
        }

        fetch.State = FetchState.Answered;
        return _reader!.Close();
    }

    private void Answer(Fetching fetch, FetchResult result) => Travel(peer.Node, self, fetch, () => End(result));

    private void LosePeer()
    {
        if (_fetch is null)
        {
            Leave();
        }
        else
        {
            Lose($"{peer} was lost.");
        }
    }

    private void Lose(string sentence)
    {
        Leave();
        End(FetchResult.Lost(sentence));
    }

    private void Leave()
    {
        if (_node is { } node)
        {
            node.Ended -= LosePeer;
            node.Changed -= Look;
            if (_fetch is { } fetch)
            {
                Close(fetch);
            }

            _reader!.Dispose();
            (_node, _reader) = (null, null);
        }
    }

    private void End(FetchResult result)
    {
        var fetch = _fetch!;
        _fetch = null;
        fetch.Ended(fetch.Request, result);
    }

    private enum FetchState
    {
        Asked,
        Waiting,
        Open,
        Answered,
    }

    private sealed class Fetching(TensorRequest request, ITensorDestination destination, FetchEnded ended)
    {
        public TensorRequest Request => request;

        public ITensorDestination Destination => destination;

        public FetchEnded Ended => ended;

        public FetchState State { get; set; }
    }
}
