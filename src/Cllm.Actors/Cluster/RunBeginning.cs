using Akka.Actor;
using Cllm.Actors.Local;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Cluster;

/// <summary>
/// The time until all processes that may coordinate the run are there. Nobody is taken in before, and whoever coordinates can be lost from the first step on. A
/// successor waits for nobody. Used by the coordinator's actor.
/// </summary>
internal sealed class RunBeginning
{
    private readonly CoordinatorRun _coordination;
    private readonly NodeSeats _nodes;
    private readonly Akka.Cluster.Cluster _cluster;
    private readonly IActorRef _self;

    /// <summary>Until when those that are not reached may be silent; none while all are reached.</summary>
    private ICancelable? _silence;

    /// <param name="coordination">Remembers that it is over.</param>
    /// <param name="nodes">Who is there.</param>
    /// <param name="cluster">The membership.</param>
    /// <param name="self">The coordinator's actor.</param>
    public RunBeginning(CoordinatorRun coordination, NodeSeats nodes, Akka.Cluster.Cluster cluster, IActorRef self)
    {
        (_coordination, _nodes, _cluster, _self) = (coordination, nodes, cluster, self);
        coordination.MayBegin |= coordination.Settings.IsSuccessor || nodes.Count <= 1;
    }

    /// <summary>Whether the run may begin, or has.</summary>
    public bool IsOver => _coordination.MayBegin;

    /// <summary>A node is there and a member: perhaps it is the last one that was missing.</summary>
    public void EndIfComplete(NodeSeat newcomer, Epoch epoch)
    {
        if (IsOver || !newcomer.MayCoordinate)
        {
            return;
        }

        var missing = _nodes.Missing;
        if (missing > 0)
        {
            _coordination.Note(
                $"the run begins when all {_nodes.Count} processes that may coordinate it are there; {missing} {(missing == 1 ? "is" : "are")} missing (`cllm node --standby`)");
            return;
        }

        _coordination.MayBegin = true;
        foreach (var seat in _nodes.All)
        {
            // Nodes announce themselves again, and from now on are heard.
            seat.Actor.Tell(new CoordinatorStarted(epoch), _self);
        }
    }

    /// <summary>
    /// As long as the quorum is not complete, it decides against this process whenever another one is not reached; so until then this one, which begins the run and which
    /// nobody else can have succeeded, decides first. Who is struck off joins again.
    /// </summary>
    public void StrikeOffLater()
    {
        if (!IsOver && _silence is null)
        {
            var stable = _cluster.System.Settings.Config.GetTimeSpan("akka.cluster.split-brain-resolver.stable-after");
            _silence = _cluster.System.Scheduler.ScheduleTellOnceCancelable(stable / 2, _self, new SilenceOver(), _self);
        }
    }

    /// <summary>Strikes off whoever is still not reached.</summary>
    public void StrikeOff()
    {
        _silence = null;
        foreach (var member in IsOver ? [] : _cluster.State.Unreachable)
        {
            _cluster.Down(member.Address);
            _coordination.Note($"the process at {member.Address} is struck off before the run begins, for it is not reached");
        }
    }

    /// <summary>Nobody is struck off any more.</summary>
    public void Stop() => _silence?.Cancel();
}
