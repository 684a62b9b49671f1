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

    /// <summary>Asks until there is an answer, from actor systems that are members of nothing and end with the answer. Who is not trusted is not asked again.</summary>
    /// <param name="nodes">Nodes of the run, one at least; they are asked one after the other, in turn.</param>
    /// <param name="network">How this process listens, and its certificate.</param>
    /// <param name="patience">How long to go on asking.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What the run is, and which of them said so.</returns>
    /// <exception cref="InputException">Nobody answers, nobody who does is trusted, or the run's program is another one than this.</exception>
    /// <exception cref="OperationCanceledException">It was told to give up.</exception>
    public static async Task<(RunInvitation Run, NodeAddress By)> AskAsync(
        IReadOnlyList<NodeAddress> nodes, ClusterSystem network, TimeSpan patience, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        List<AskedNode> asked = [.. nodes.Distinct().Select(node => new AskedNode(node, network))];
        try
        {
            for (var i = 0; Stopwatch.GetElapsedTime(began) < patience && asked.Exists(node => node.Objection is null); i++)
            {
                var node = asked[i % asked.Count];
                if (node.Objection is null && await node.AskAsync(BetweenQuestions, stop).ConfigureAwait(false) is { } answer)
                {
                    return (RunInvitation.Parse(answer, node.Address.ToString(), RunIdentity.ProtocolVersion), node.Address);
                }
            }

            throw new InputException(Refusal(asked, patience));
        }
        finally
        {
            await Task.WhenAll(asked.Select(node => node.DisposeAsync().AsTask())).ConfigureAwait(false);
        }
    }

    /// <summary>What is wrong with each node: one may be silent, and another one not trusted.</summary>
    private static string Refusal(List<AskedNode> asked, TimeSpan patience)
    {
        var strangers = asked.FindAll(node => node.Objection is not null);
        var silent = asked.Except(strangers).ToList();
        var silence = silent.Count == 0 ? "" :
            $"No run answers at {string.Join(" or ", silent.Select(node => node.Address))} since {patience.TotalSeconds:F0} s; start it there with `cllm train --listen {silent[0].Address}`, and give both the same --tls or neither.";
        var distrust = strangers.Count == 0 ? "" :
            $"The process at {string.Join("; the process at ", strangers.Select(node => $"{node.Address} is not trusted: {node.Objection}"))}; give both certificates of the same authority.";
        return $"{silence} {distrust}".Trim();
    }
}
