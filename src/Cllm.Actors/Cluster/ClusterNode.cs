using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Cluster;

/// <summary>
/// This process's part in a run of several: its workers, the shards it is given, and, where its actor system has the role, the coordinator when it is its turn.
/// </summary>
public sealed class ClusterNode : IAsyncDisposable
{
    /// <summary>Role of the processes that the run's coordinator may run in.</summary>
    public const string CoordinatorRole = "coordinator";

    private const string SeatName = "coordinator-seat";

    private readonly ActorSystem _system;
    private readonly NodeRun _run;
    private readonly IActorRef _node;
    private readonly IActorRef _anyCoordinator;

    private ClusterNode(ActorSystem system, NodeRun run, IActorRef node, IActorRef anyCoordinator, Task<TrainingEnd> end) =>
        (_system, _run, _node, _anyCoordinator, End) = (system, run, node, anyCoordinator, end);

    /// <summary>Where others fetch this process's tensors.</summary>
    public ChannelAddress Channel => _run.Channel.Address;

    /// <summary>
    /// Completed when the run has ended, when this process was refused or has left, or when its actor system is gone. Steps are 0 where this process does not
    /// know them.
    /// </summary>
    public Task<TrainingEnd> End { get; }

    /// <summary>
    /// Takes part. The actor system is a member of the run's cluster or about to be; the first process of a cluster with the role begins the run, with the
    /// state that its host has loaded.
    /// </summary>
    /// <param name="system">The actor system; it stays the caller's.</param>
    /// <param name="settings">The run, and this process's part.</param>
    /// <param name="host">Weights, data, checkpoints; it stays the caller's, who disposes it after this.</param>
    /// <param name="observer">Hears what happens here, and of the whole run while its coordinator is here.</param>
    /// <param name="open">Opens this process's end of the channel, which gives out what the store has.</param>
    public static ClusterNode Start(
        ActorSystem system, ClusterSettings settings, RunHost host, ITrainingObserver observer, Func<ITensorStore, NodeChannel> open)
    {
        var run = new NodeRun(settings, host) { Scheduler = system.Scheduler, ActorAt = system.ActorSelection };
        run.Channel = open(new NodeStore(run));
        var mayCoordinate = Akka.Cluster.Cluster.Get(system).SelfRoles.Contains(CoordinatorRole);
        if (mayCoordinate)
        {
            run.Follower = new(run.Channel.Transport, host.BeginCopy, observer.Note);
            system.ActorOf(
                ClusterSingletonManager.Props(
                    Props.Create(() => new CoordinatorSeat(run, observer)),
                    new HandOver(),
                    ClusterSingletonManagerSettings.Create(system).WithRole(CoordinatorRole)),
                SeatName);
        }

        var coordinator = system.ActorOf(
            ClusterSingletonProxy.Props($"/user/{SeatName}", ClusterSingletonProxySettings.Create(system).WithRole(CoordinatorRole)), "any-coordinator");
        var end = new TaskCompletionSource<TrainingEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        system.WhenTerminated.ContinueWith(_ => end.TrySetResult(StruckOff(run)), TaskScheduler.Default);
        var node = system.ActorOf(Props.Create(() => new NodeActor(run, observer, coordinator, end)), NodeActor.Name);
        return new(system, run, node, coordinator, end.Task);
    }

    /// <summary>Reaches whichever coordinator there is.</summary>
    public IActorRef AnyCoordinator => _anyCoordinator;

    /// <summary>Whether the run's coordinator is or was here.</summary>
    public bool HasCoordinated => _run.Coordination is not null;

    /// <summary>Whether it was and has gone because it could write nothing here: the run goes on elsewhere.</summary>
    public bool HasGivenUp => _run.Coordination is { IsGivenUp: true };

    /// <summary>Where the run's other nodes are, as heard last.</summary>
    public IReadOnlyList<Address> OtherNodes =>
        [.. _run.Directory.Nodes.Where(place => place.Node != _run.Node).Select(place => ActorPath.Parse(place.Actor).Address)];

    /// <summary>Asks the run to finish the step, write a checkpoint and end.</summary>
    public void StopRun() => _node.Tell(new StopRequested());

    /// <summary>Finishes what this process's workers were leased, and takes part no longer.</summary>
    public void Leave() => _node.Tell(new LeaveWanted());

    /// <summary>Stops this process's actors and closes its channel. The actor system goes on.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(_node).ConfigureAwait(false);
        await StopAsync(_anyCoordinator).ConfigureAwait(false);
        if (_run.Follower is { } follower)
        {
            await follower.DisposeAsync().ConfigureAwait(false);
        }

        _run.Channel.Server.Dispose();
        _run.Updates.Dispose();
    }

    private static TrainingEnd StruckOff(NodeRun run) => run.Coordination is { } coordination
        ? new(
            coordination.CommittedSteps, RunOutcome.Failed,
            "this process and enough of the others that may coordinate the run could not reach each other for a while, so it has stopped lest two of them coordinate; if none of them goes on with the run, go on with `cllm train --resume`")
        : new(0, RunOutcome.Failed, "the run's cluster is gone, or has done without this process")
        {
            // Who has coordinated has told of steps that others have gone on from elsewhere; who was never taken in will not be now.
            MayJoinAgain = run.NewestEpoch.Number > 0,
        };

    /// <summary>A worker may be amid a leaf: its memory is not the caller's before it has stopped.</summary>
    private async Task StopAsync(IActorRef actor)
    {
        if (!_system.WhenTerminated.IsCompleted)
        {
            await actor.GracefulStop(TimeSpan.FromMinutes(10)).ConfigureAwait(false);
        }
    }
}
