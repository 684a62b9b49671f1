using Akka.Actor;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Protocol.Coordination;

namespace Cllm.Cli.Node;

/// <summary>One process's part in a run of several, from its first connection to its last.</summary>
public sealed class ClusterPart
{
    /// <summary>Leaving a run that goes on is a courtesy: others do without a process that is gone as well.</summary>
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(15);

    /// <summary>Nobody goes on when the run is over: what was said last has to get out, and no more.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(3);

    /// <summary>Where the run's other nodes were when this process took part last: the one it came by may be gone by then.</summary>
    private IReadOnlyList<Address> _others = [];

    /// <summary>How the process takes part.</summary>
    public required ClusterSystem Network { get; init; }

    /// <summary>A node of the run; null for the process that starts it.</summary>
    public NodeAddress? Seed { get; init; }

    /// <summary>The run, and this process's part.</summary>
    public required ClusterSettings Settings { get; set; }

    /// <summary>What the process tells those who ask it what the run is; where its channel is, is filled in.</summary>
    public required RunInvitation Invitation { get; init; }

    /// <summary>Told about strangers that are turned away.</summary>
    public required Action<string> Note { get; init; }

    /// <summary>Attached to the run while this process takes part; null when nobody inspects it here.</summary>
    public RunControl? Control { get; init; }

    /// <summary>Takes part until the run ends or this process leaves it.</summary>
    /// <param name="host">Weights, data, checkpoints.</param>
    /// <param name="observer">Hears what happens.</param>
    /// <param name="stop">
    /// Where the process started the run: asks to finish the step, write a checkpoint and end it. Elsewhere: asks to finish the leaf and leave.
    /// </param>
    /// <remarks>
    /// A process that others could not reach for too long joins again, and one whose number another node has drawn as well: <see cref="Settings"/> then has
    /// the new number. One that is not taken in again ends.
    /// </remarks>
    public async Task<TrainingEnd> TakeAsync(RunHost host, ITrainingObserver observer, CancellationToken stop)
    {
        TrainingEnd end = await TakeOnceAsync(host, observer, stop).ConfigureAwait(false);
        while (end.MayJoinAgain && Seed is not null && !stop.IsCancellationRequested)
        {
            Note($"{end.Sentence}: this process joins under another number");
            Settings = Settings with { Node = NodeNumbers.Draw() };
            end = await TakeOnceAsync(host, observer, stop).ConfigureAwait(false);
        }

        return end;
    }

    private async Task<TrainingEnd> TakeOnceAsync(RunHost host, ITrainingObserver observer, CancellationToken stop)
    {
        ActorSystem system = Network.StartNode(Note);
        TimeSpan patience = LeavePatience;
        try
        {
            await using var node = ClusterNode.Start(
                system, Settings, host, observer, store => ClusterChannel.Open(Network, Settings.Node, Settings.Run, store, Settings.Traffic, Note));
            Invitations.Serve(system, At(node.Channel));
            var cluster = Akka.Cluster.Cluster.Get(system);
            if (Seed is { } seed)
            {
                cluster.JoinSeedNodes(_others.Prepend(Network.AddressOf(seed)).Where(other => other != cluster.SelfAddress).Distinct());
            }
            else
            {
                cluster.Join(cluster.SelfAddress);
            }

            if (Control is { } control)
            {
                control.Attach(node.AnyCoordinator);
                if (OperatorPlugIn.Start(system, control) is { } sentence)
                {
                    Note(sentence);
                }
            }

            using (stop.Register(() => Stop(node)))
            {
                TrainingEnd end = await node.End.ConfigureAwait(false);
                patience = end.Outcome == RunOutcome.Finished || (Seed is null && !node.HasGivenUp && !end.HasLeft) ? EndPatience : LeavePatience;
                _others = node.OtherNodes;
                return end with { HasCoordinated = node.HasCoordinated };
            }
        }
        finally
        {
            Control?.Detach();
            await LeaveAsync(system, patience).ConfigureAwait(false);
        }
    }

    private static Task LeaveAsync(ActorSystem system, TimeSpan patience) => Task.WhenAny(NodeShutdown.Get(system).RunAsync(), Task.Delay(patience));

    private void Stop(ClusterNode node)
    {
        if (Seed is null)
        {
            node.StopRun();
        }
        else
        {
            node.Leave();
        }
    }

    private RunInvitation At(ChannelAddress channel) => Invitation with
    {
        ChannelNode = channel.Node,
        ChannelHost = channel.Host,
        ChannelPort = channel.Port,
        ChannelCredential = channel.Credential,
    };
}
