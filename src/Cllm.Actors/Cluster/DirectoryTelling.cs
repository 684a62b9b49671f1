using Akka.Actor;
using Cllm.Actors.Local;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>Tells all nodes of the run who takes part, who owns which shard, and where the newest checkpoint is. Used by the coordinator's actor.</summary>
internal sealed class DirectoryTelling
{
    /// <summary>With more nodes than this, changes are told together: while hundreds join, all of it to all of them each time would be gigabytes.</summary>
    private const int NodesToldAtOnceMax = 32;

    /// <summary>Between two directories of many nodes.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ClusterPlaces _places;
    private readonly CoordinatorRun _coordination;
    private readonly NodeRun _run;
    private readonly IScheduler _scheduler;
    private readonly IActorRef _self;
    private CheckpointPlace? _checkpoint;

    /// <summary>Until when it is not told again; none when it may be.</summary>
    private ICancelable? _pause;

    /// <param name="places">Who takes part, and who owns which shard.</param>
    /// <param name="coordination">Knows which checkpoint is the newest.</param>
    /// <param name="run">The process, which has it.</param>
    /// <param name="scheduler">Tells the coordinator's actor when the pause is over.</param>
    /// <param name="self">The coordinator's actor.</param>
    public DirectoryTelling(ClusterPlaces places, CoordinatorRun coordination, NodeRun run, IScheduler scheduler, IActorRef self)
    {
        (_places, _coordination, _run, _scheduler, _self) = (places, coordination, run, scheduler, self);
        _checkpoint = NewestCheckpoint();
    }

    /// <summary>What nodes are told.</summary>
    public ClusterDirectory At(Epoch epoch) => _places.Directory(epoch, _checkpoint);

    /// <summary>There is a newer checkpoint.</summary>
    public void FindCheckpoint()
    {
        _checkpoint = NewestCheckpoint();
        _places.Change();
    }

    /// <summary>Tells what has changed, at once or, where there are many nodes, when the pause is over.</summary>
    public void TellInTime(Epoch epoch)
    {
        if (_pause is null)
        {
            TellNow(epoch);
        }
    }

    /// <summary>Tells what has changed, if anything has.</summary>
    public void TellNow(Epoch epoch)
    {
        if (!_places.IsChanged)
        {
            return;
        }

        _places.TellAll(epoch, _checkpoint);
        if (_places.Nodes > NodesToldAtOnceMax)
        {
            _pause = _scheduler.ScheduleTellOnceCancelable(Pause, _self, new DirectoryDue(), _self);
        }
    }

    /// <summary>The pause is over.</summary>
    public void EndPause() => _pause = null;

    /// <summary>Nothing is told any more.</summary>
    public void Stop() => _pause?.Cancel();

    private CheckpointPlace? NewestCheckpoint() => _run.Host.Checkpoints.StateOf(_coordination.CheckpointedSteps) is { } state
        ? new(new(_coordination.CheckpointedSteps), _run.Channel.Address, state)
        : null;
}
