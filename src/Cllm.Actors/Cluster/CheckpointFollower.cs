using System.Diagnostics;
using Cllm.Actors.Channel;
using Cllm.Model;
using Cllm.Model.Checkpoints;
using Cllm.Model.Files;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Copies the coordinator's newest checkpoint into the folder of a process that may come to coordinate, so that this one goes back to it and no further. It reads
/// slowly, on a thread of its own, for the run comes first.
/// </summary>
/// <param name="transport">Leads to the coordinator's process.</param>
/// <param name="begin">Begins a copy of the checkpoint after so many steps, with that state.json; none when it is here already.</param>
/// <param name="note">Told the first checkpoint, and what goes wrong.</param>
/// <param name="pieceBytes">Bytes asked for at a time.</param>
internal sealed class CheckpointFollower(
    ITensorTransport transport, Func<long, byte[], CheckpointCopy?> begin, Action<string> note, int pieceBytes = 1 << 20) : IAsyncDisposable
{
    /// <summary>After each piece it rests so many times as long as that took: an eighth of the link, the disk and the core is what it takes at most.</summary>
    private const int RestFactor = 7;

    /// <summary>A piece that took long because a connection broke is no reason to rest for long.</summary>
    private static readonly TimeSpan RestMax = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>The newest that was heard of and is not settled; none when there is nothing to do.</summary>
    private CheckpointPlace? _wanted;

    /// <summary>The step of the last one that is here, or that will not be asked for again.</summary>
    private long _settled = -1;

    private bool _isWorking;
    private bool _isFirstSaid;

    /// <summary>The copying under way, or the last one that was.</summary>
    public Task Copying { get; private set; } = Task.CompletedTask;

    /// <summary>Hears of the coordinator's newest checkpoint, again and again. The one that is being copied is copied to its end all the same.</summary>
    public void Follow(CheckpointPlace? newest)
    {
        lock (_gate)
        {
            if (newest is null || newest.Step.Number == _settled || _stop.IsCancellationRequested)
            {
                return;
            }

            _wanted = newest;
            if (!_isWorking)
            {
                _isWorking = true;
                Copying = Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
    }

    /// <summary>Copies nothing from now on, for this process writes checkpoints itself or ends. Completed when nothing is written any more.</summary>
    public async Task StopAsync()
    {
        if (!_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }

        Task copying;
        lock (_gate)
        {
            copying = Copying;
        }

        await copying.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Work()
    {
        while (Next() is { } place)
        {
            var isSettled = Copy(place);
            lock (_gate)
            {
                _settled = isSettled ? place.Step.Number : _settled;
                _wanted = _wanted!.Step == place.Step ? null : _wanted;
            }
        }
    }

    private CheckpointPlace? Next()
    {
        lock (_gate)
        {
            _isWorking = _wanted is not null && !_stop.IsCancellationRequested;
            return _isWorking ? _wanted : null;
        }
    }

    /// <returns>Whether this checkpoint is done with; it is tried again when its process could not be reached, as soon as that is heard of again.</returns>
    private bool Copy(CheckpointPlace place)
    {
        try
        {
            using var copy = begin(place.Step.Number, place.State);
            if (copy is not null && Fetch(copy, place) is { } failure)
            {
                note($"the checkpoint of step {place.Step} could not be copied here: {failure.Sentence.TrimEnd('.')}");
                return failure.Outcome != FetchOutcome.Lost;
            }

            copy?.Commit();
            SayFirst(place);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception failure) when (failure is InputException or StorageException)
        {
            note($"the checkpoint of step {place.Step} could not be copied here: {failure.Message.TrimEnd('.')}");
        }

        return true;
    }

    private FetchResult? Fetch(CheckpointCopy copy, CheckpointPlace place)
    {
        using var lane = transport.Open(place.From, Lanes.Checkpoint);
        var patient = new PatientLane(lane);
        var piece = new byte[pieceBytes];
        var destination = new BytesDestination(piece);
        foreach (var (name, bytes) in copy.Files)
        {
            using var file = copy.Create(name);
            for (long at = 0; at < bytes;)
            {
                var began = Stopwatch.GetTimestamp();
                var length = (int)Math.Min(bytes - at, pieceBytes);
                var request = TensorRequest.Blob(CheckpointReader.NumberOf(name), at, length, place.Step);
                var result = patient.FetchAsync(request, destination, _stop.Token).GetAwaiter().GetResult();
                if (result.Outcome != FetchOutcome.Done)
                {
                    return result;
                }

                file.Write(piece.AsSpan(0, length));
                at += length;
                Rest(place, Stopwatch.GetElapsedTime(began));
            }

            file.FlushToDisk();
        }

        return null;
    }

    /// <summary>There is no rest when a newer one is there, for the one under way will not be kept much longer.</summary>
    private void Rest(CheckpointPlace place, TimeSpan taken)
    {
        lock (_gate)
        {
            if (_wanted!.Step != place.Step)
            {
                return;
            }
        }

        var rest = taken * RestFactor;
        _stop.Token.WaitHandle.WaitOne(rest < RestMax ? rest : RestMax);
    }

    private void SayFirst(CheckpointPlace place)
    {
        if (!_isFirstSaid)
        {
            _isFirstSaid = true;
            note($"the checkpoint of step {place.Step} is here, where the run can go back to it; newer ones are copied as they are written");
        }
    }
}
