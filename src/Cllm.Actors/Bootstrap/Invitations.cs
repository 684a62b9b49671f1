using System.Diagnostics;
using Akka.Actor;
using Cllm.Model;
using Cllm.Model.Run;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Bootstrap;

/// <summary>How a process that wants to take part learns what the run is, and how every node of a run tells it.</summary>
public static class Invitations
{
    /// <summary>A question without an answer is asked again after so long.</summary>
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromSeconds(2);

    /// <summary>From now on whoever asks this node is told what the run is.</summary>
    /// <param name="node">The node's actor system.</param>
    /// <param name="invitation">What it is told.</param>
    public static void Serve(ActorSystem node, RunInvitation invitation)
    {
        var answer = invitation.ToBytes();
        node.ActorOf(Props.Create(() => new InvitationActor(answer)), InvitationActor.Name);
    }

    /// <summary>Asks until there is an answer, from an actor system of its own that is a member of nothing and ends with the answer.</summary>
    /// <param name="nodes">Nodes of the run, one at least; they are asked one after the other.</param>
    /// <param name="network">How this process listens, and its certificate.</param>
    /// <param name="patience">How long to go on asking.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What the run is, and which of them said so.</returns>
    /// <exception cref="InputException">Nobody answers, or the run's program is another one than this.</exception>
    /// <exception cref="OperationCanceledException">It was told to give up.</exception>
    public static async Task<(RunInvitation Run, NodeAddress By)> AskAsync(
        IReadOnlyList<NodeAddress> nodes, ClusterSystem network, TimeSpan patience, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var objection = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var caller = network.StartCaller(reason => objection.TrySetResult(reason));
        try
        {
            for (var i = 0; Stopwatch.GetElapsedTime(began) < patience; i++)
            {
                var node = nodes[i % nodes.Count];
                var there = caller.ActorSelection(new RootActorPath(network.AddressOf(node)) / "user" / InvitationActor.Name);
                var question = AnswerAsync(there, stop);
                if (await Task.WhenAny(question, objection.Task).ConfigureAwait(false) == objection.Task)
                {
                    throw new InputException(
                        $"The process at {node} is not trusted: {await objection.Task.ConfigureAwait(false)}; give both certificates of the same authority.");
                }

                if (await question.ConfigureAwait(false) is { } answer)
                {
                    return (RunInvitation.Parse(answer, node.ToString(), RunIdentity.ProtocolVersion), node);
                }
            }

            throw new InputException(
                $"No run answers at {string.Join(" or ", nodes)} since {patience.TotalSeconds:F0} s; start it there with `cllm train --listen {nodes[0]}`, and give both the same --tls or neither.");
        }
        finally
        {
            await caller.Terminate().ConfigureAwait(false);
        }
    }

    private static async Task<byte[]?> AnswerAsync(ActorSelection there, CancellationToken stop)
    {
        try
        {
            return await there.Ask<byte[]>(InvitationActor.Question, BetweenQuestions, stop).ConfigureAwait(false);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }
}
