using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;

namespace Cllm.Actors.Cluster;

/// <summary>Which processes are lost: the network says it at once, and the membership later. Used by the coordinator's actor.</summary>
/// <param name="cluster">The membership.</param>
/// <param name="self">The coordinator's actor.</param>
internal sealed class MemberLosses(Akka.Cluster.Cluster cluster, IActorRef self)
{
    /// <summary>Between two looks at the heartbeats of a member that somebody else cannot reach.</summary>
    private static readonly TimeSpan HeartbeatPause = TimeSpan.FromSeconds(1);

    private ICancelable? _heartbeats;

    /// <summary>From now on the actor is told what there is to say, until it stops.</summary>
    public void Watch()
    {
        cluster.System.EventStream.Subscribe(self, typeof(DisassociatedEvent));
        cluster.Subscribe(self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.UnreachableMember), typeof(ClusterEvent.MemberDowned), typeof(ClusterEvent.MemberExited), typeof(ClusterEvent.MemberRemoved));
    }

    /// <summary>Nothing is said any more.</summary>
    public void Stop()
    {
        _heartbeats?.Cancel();
        cluster.Unsubscribe(self);
    }

    /// <summary>Who is lost by what the actor was told, and why; nobody when it is not so.</summary>
    public (Address Address, string Reason)? Of(object said) => said switch
    {
        DisassociatedEvent gone => (gone.RemoteAddress, "its connection is closed"),
        ClusterEvent.UnreachableMember gone => OfUnheard(gone),
        ClusterEvent.IMemberEvent gone => (gone.Member.Address, $"the membership says that it is {gone.Member.Status}"),
        _ => null,
    };

    /// <summary>
    /// Whose heartbeats come here is not lost: who cannot reach it may be one whose own link was cut and who is heard again. The membership says it once, whoever
    /// finds it out, so it is looked at again for as long as somebody cannot.
    /// </summary>
    private (Address Address, string Reason)? OfUnheard(ClusterEvent.UnreachableMember gone)
    {
        var detector = cluster.FailureDetector;
        if (!detector.IsMonitoring(gone.Member.Address) || !detector.IsAvailable(gone.Member.Address))
        {
            return (gone.Member.Address, "the membership cannot reach it");
        }

        if (cluster.State.Unreachable.Contains(gone.Member))
        {
            _heartbeats = cluster.System.Scheduler.ScheduleTellOnceCancelable(HeartbeatPause, self, gone, self);
        }

        return null;
    }
}
