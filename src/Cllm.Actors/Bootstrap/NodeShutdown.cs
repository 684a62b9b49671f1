using System.Diagnostics;
using Akka;
using Akka.Actor;
using Akka.Cluster;

namespace Cllm.Actors.Bootstrap;

/// <summary>How a node's actor system ends: when somebody wants it to, and not because TLS failed on one connection.</summary>
/// <remarks>
/// Akka.NET shuts the whole actor system down when TLS fails on a connection that it has begun, lest a node with a wrong certificate goes on half connected
/// (https://github.com/akkadotnet/akka.net/issues/7838). Here such a node is refused before it joins, and what fails during a run is the handshake with a node that is
/// killed amid it, or with another program that listens where a node was: no reason to end. A shutdown cannot be called off, but its first phase takes as long as its
/// tasks do; so it waits there until the node is to end in earnest, and then all is done as usual.
/// </remarks>
public sealed class NodeShutdown : IExtension
{
    /// <summary>The first phase waits for as long as any run may take; Akka.NET has no word for ever.</summary>
    internal const string Text = $"akka.coordinated-shutdown.phases.{CoordinatedShutdown.PhaseBeforeServiceUnbind}.timeout = 3650d";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    private readonly ActorSystem _system;
    private readonly CoordinatedShutdown _shutdown;
    private readonly TaskCompletionSource _isWanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _released = Task.CompletedTask;

    private NodeShutdown(ActorSystem system)
    {
        (_system, _shutdown) = (system, CoordinatedShutdown.Get(system));
        _shutdown.AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "wait-until-wanted", UntilWantedAsync);
    }

    /// <summary>That of an actor system, which has it from the first call on.</summary>
    public static NodeShutdown Get(ActorSystem system) => system.WithExtension<NodeShutdown, Provider>();

    /// <summary>Leaves the cluster in order, if the node is still in it, and ends the actor system. Where the node listened, another one can listen then.</summary>
    public Task RunAsync()
    {
        _isWanted.TrySetResult();
        return Task.WhenAll(_shutdown.Run(CoordinatedShutdown.ClrExitReason.Instance), _released);
    }

    /// <summary>Has something that the node needs let go when its actor system has ended, however it ends.</summary>
    internal void ThenRelease(IDisposable owned) => _released = _system.WhenTerminated.ContinueWith(_ => owned.Dispose(), TaskScheduler.Default);

    private async Task<Done> UntilWantedAsync()
    {
        if (_shutdown.ShutdownReason is CoordinatedShutdown.ClrExitReason or CoordinatedShutdown.ActorSystemTerminateReason or CoordinatedShutdown.ClusterLeavingReason
            or CoordinatedShutdown.ClusterDowningReason or CoordinatedShutdown.ClusterJoinUnsuccessfulReason)
        {
            return Done.Instance;
        }

        // There is only one shutdown, so when the cluster wants another one for its own reasons nothing is heard of it: they are looked at.
        var cluster = Akka.Cluster.Cluster.Get(_system);
        var waiting = Stopwatch.StartNew();
        while (!_isWanted.Task.IsCompleted && IsInCluster(cluster, waiting.Elapsed))
        {
            await Task.WhenAny(_isWanted.Task, Task.Delay(BetweenLooks)).ConfigureAwait(false);
        }

        return Done.Instance;
    }

    /// <summary>Whether the node takes part in its cluster, or may still come to.</summary>
    private static bool IsInCluster(Akka.Cluster.Cluster cluster, TimeSpan waited) => !cluster.IsTerminated && cluster.SelfMember.Status switch
    {
        MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up => true,
        MemberStatus.Removed => !(waited > cluster.Settings.ShutdownAfterUnsuccessfulJoinSeedNodes),
        _ => false,
    };

    private sealed class Provider : ExtensionIdProvider<NodeShutdown>
    {
        public override NodeShutdown CreateExtension(ExtendedActorSystem system) => new(system);
    }
}
