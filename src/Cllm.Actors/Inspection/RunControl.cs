using System.Diagnostics;
using Akka.Actor;

namespace Cllm.Actors.Inspection;

/// <summary>
/// How whoever inspects or steers a run reaches it, whichever actor that is at the time. Made before the run, attached while it lives. Threads may use it at once.
/// </summary>
public sealed class RunControl
{
    /// <summary>A coordinator that copies the state or restores it answers nobody meanwhile.</summary>
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);

    /// <summary>Whoever asks more often gets the same answer, so that no scraper slows the run.</summary>
    private static readonly TimeSpan AnswerKept = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private volatile IActorRef? _coordinator;
    private Task<RunView?> _view = Task.FromResult<RunView?>(null);
    private long _viewedAt = long.MinValue;

    /// <summary>The run has an actor that answers <see cref="RunAsked"/> and <see cref="RunOrder"/>: a coordinator, or who passes messages on to it.</summary>
    public void Attach(IActorRef coordinator) => _coordinator = coordinator;

    /// <summary>The run is over or has not begun.</summary>
    public void Detach() => _coordinator = null;

    /// <summary>The run at this moment or a tenth of a second before; none when nobody answers in time.</summary>
    public Task<RunView?> ViewAsync()
    {
        lock (_gate)
        {
            if (_viewedAt == long.MinValue || (_view.IsCompleted && Stopwatch.GetElapsedTime(_viewedAt) > AnswerKept))
            {
                (_view, _viewedAt) = (AskViewAsync(), Stopwatch.GetTimestamp());
            }

            return _view;
        }
    }

    /// <summary>Tells the run to do something.</summary>
    /// <param name="action">What.</param>
    /// <param name="node">The node to drain.</param>
    public async Task<RunAnswer> OrderAsync(RunAction action, int? node = null)
    {
        if (action == RunAction.Drain != node.HasValue)
        {
            return new(false, node is null ? "Name the node to drain." : "Only a drain is for one node.");
        }

        var answer = await AskAsync(new RunOrder(action, node)).ConfigureAwait(false) as RunAnswer;
        lock (_gate)
        {
            _viewedAt = long.MinValue;
        }

        return answer ?? new(false, "The run's coordinator does not answer; it may be restoring a checkpoint, or be on its way to another node. Try again in a moment.");
    }

    private async Task<RunView?> AskViewAsync() => (await AskAsync(new RunAsked()).ConfigureAwait(false) as RunSeen)?.View;

    private async Task<object?> AskAsync(object question)
    {
        if (_coordinator is not { } coordinator)
        {
            return null;
        }

        try
        {
            return await coordinator.Ask(question, AnswerMax).ConfigureAwait(false);
        }
        catch (Exception silence) when (silence is AskTimeoutException or TaskCanceledException)
        {
            return null;
        }
    }
}
