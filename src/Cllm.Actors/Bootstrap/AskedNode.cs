using Akka.Actor;

namespace Cllm.Actors.Bootstrap;

/// <summary>
/// A node that is asked what its run is. It is called from an actor system of its own, which begins with the first question, for what speaks against a
/// certificate is told without the address that showed it.
/// </summary>
internal sealed class AskedNode(NodeAddress address, ClusterSystem network) : IAsyncDisposable
{
    private readonly TaskCompletionSource<string> _objection = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ActorSystem? _caller;

    /// <summary>Where it is.</summary>
    public NodeAddress Address => address;

    /// <summary>What speaks against its certificate, and would later as well; none when nothing is known.</summary>
    public string? Objection => _objection.Task.IsCompleted ? _objection.Task.Result : null;

    /// <summary>Asks once.</summary>
    /// <returns>The answer; none when there is none in time, or it is not trusted.</returns>
    public async Task<byte[]?> AskAsync(TimeSpan patience, CancellationToken stop)
    {
        _caller ??= network.StartCaller(reason => _objection.TrySetResult(reason));
        var there = _caller.ActorSelection(new RootActorPath(network.AddressOf(address)) / "user" / InvitationActor.Name);
        var question = AnswerAsync(there, patience, stop);
        return await Task.WhenAny(question, _objection.Task).ConfigureAwait(false) == question ? await question.ConfigureAwait(false) : null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_caller is { } caller)
        {
            await caller.Terminate().ConfigureAwait(false);
        }
    }

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
