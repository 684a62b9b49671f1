namespace Cllm.Actors.Channel;

/// <summary>A lane over which one fetch after another is awaited; one whose connection broke is tried again.</summary>
/// <param name="lane">The lane; it stays the caller's.</param>
public sealed class PatientLane(ITensorLane lane)
{
    /// <summary>
    /// Attempts in a row that may fail. The lane waits longer before each, so that this is more than the half minute in which a cut connection comes back.
    /// </summary>
    private const int FailuresMax = 30;

    private TaskCompletionSource<FetchResult>? _ended;

    /// <summary>Fetches.</summary>
    /// <param name="request">What.</param>
    /// <param name="destination">Where to. Its memory is the lane's until this returns.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>How it ended: done, refused, or lost for good.</returns>
    /// <exception cref="OperationCanceledException">It was told to give up.</exception>
    public async Task<FetchResult> FetchAsync(TensorRequest request, ITensorDestination destination, CancellationToken stop)
    {
        for (var failures = 1; ; failures++)
        {
            stop.ThrowIfCancellationRequested();
            var result = await FetchOnceAsync(request, destination, stop).ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            var mayComeBack = result.Outcome is FetchOutcome.Lost or FetchOutcome.Mismatch || result.Reason == RefusalReason.Busy;
            if (!mayComeBack || failures == FailuresMax)
            {
                return result;
            }
        }
    }

    private async Task<FetchResult> FetchOnceAsync(TensorRequest request, ITensorDestination destination, CancellationToken stop)
    {
        _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var cancel = stop.Register(lane.Cancel);
        lane.Fetch(request, destination, Ended);
        return await _ended.Task.ConfigureAwait(false);
    }

    private void Ended(in TensorRequest request, in FetchResult result) => _ended!.TrySetResult(result);
}
