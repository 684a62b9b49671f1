using System.Diagnostics;
using Akka.Actor;

namespace Cllm.Actors.Bootstrap;

/// <summary>
/// A node that is asked what its run is. It is called from an actor system of its own, which begins with the first question: what speaks against a
/// certificate is told without the address that showed it.
/// </summary>
internal sealed class AskedNode(NodeAddress address, ClusterSystem network) : IAsyncDisposable
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(500);

    private readonly TaskCompletionSource<string> _objection = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ActorSystem? _caller;

    /// <summary>Where it is.</summary>
    public NodeAddress Address => address;

    /// <summary>What speaks against its certificate, and would later as well; none when nothing is known.</summary>
    public string? Objection => _objection.Task.IsCompleted ? _objection.Task.Result : null;

    /// <summary>Asks once, and again only when TLS fails before anything is known of the node.</summary>
    /// <returns>The answer; none when there is none in time, or it is not trusted.</returns>
    public async Task<byte[]?> AskAsync(TimeSpan patience, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        for (var left = patience; left > TimeSpan.Zero && Objection is null; left = patience - Stopwatch.GetElapsedTime(began))
        {
            stop.ThrowIfCancellationRequested();
            var caller = Caller();
            var question = AnswerAsync(caller.ActorSelection(new RootActorPath(network.AddressOf(address)) / "user" / InvitationActor.Name), left, stop);
            await Task.WhenAny(question, _objection.Task, caller.WhenTerminated).ConfigureAwait(false);
            if (question.IsCompleted)
            {
                return await question.ConfigureAwait(false);
            }

            await Task.WhenAny(_objection.Task, Task.Delay(AfterFailure, stop)).ConfigureAwait(false);
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_caller is { } caller)
        {
            await caller.Terminate().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The actor system to call from. Akka.NET shuts down one whose TLS has failed, which may be because the other side has found fault first and hung up: what speaks
    /// against its own certificate is not known then.
    /// </summary>
    private ActorSystem Caller() =>
        _caller is { WhenTerminated.IsCompleted: false } caller ? caller : _caller = network.StartCaller(reason => _objection.TrySetResult(reason));

    private static async Task<byte[]?> AnswerAsync(ActorSelection there, TimeSpan patience, CancellationToken stop)
    {
        try
        {
            return await there.Ask<byte[]>(InvitationActor.Question, patience, stop).ConfigureAwait(false);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }
}
