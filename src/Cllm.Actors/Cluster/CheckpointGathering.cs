using Akka.Actor;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Has the state of a checkpoint brought into this process, by a <see cref="StateGathering"/>, and copied there. What came first may be overwritten before the last has
/// come, or amid the copying: by slices of an owner that stands elsewhere and was taken for the owner meanwhile. An owner that is lost meanwhile has its copy take over, at the same
/// step: so it is tried some more times. But when the run is to go back, a slice is nowhere any more, and the way back waits for nothing else.
/// Used by the coordinator's actor.
/// </summary>
/// <param name="run">The process.</param>
/// <param name="isGoingBack">Whether the run is to go back to a checkpoint.</param>
/// <param name="copy">Copies the state that is here.</param>
/// <param name="self">The coordinator's actor.</param>
internal sealed class CheckpointGathering(NodeRun run, Func<bool> isGoingBack, Action<Step> copy, IActorRef self)
{
    private const int TriesMax = 30;

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);

    /// <summary>The checkpoint; none most of the time.</summary>
    private TakeCheckpoint? _take;
    private int _tries;
    private ICancelable? _again;

    /// <summary>Begins; one that is under way is over.</summary>
    public void Begin(TakeCheckpoint take)
    {
        Stop();
        (_take, _tries) = (take, 0);
        Ask(take);
    }

    /// <summary>Takes what was told to the coordinator's actor.</summary>
    /// <returns>The checkpoint, and why its state cannot be had, or no reason when all of it is copied; nothing when that is not known yet.</returns>
    public (TakeCheckpoint Take, string? Failure)? Take(object message)
    {
        switch (message)
        {
            case StateDue due when due.Step == _take?.Step:
                return TakeDue(_take, due.Failure);
            case StateGathered gathered when gathered.Step == _take?.Step:
                return TakeGathered(_take, gathered.Failure);
            default:
                return null;
        }
    }

    /// <summary>It is not tried again.</summary>
    public void Stop() => _again?.Cancel();

    private (TakeCheckpoint Take, string? Failure)? TakeGathered(TakeCheckpoint take, string? failure)
    {
        try
        {
            failure ??= Copy(take.Step);
        }
        catch (Exception fault)
        {
            return End(take, fault.Message);
        }

        if (failure is null || isGoingBack() || ++_tries == TriesMax)
        {
            return End(take, failure);
        }

        _again = run.Scheduler.ScheduleTellOnceCancelable(Delay, self, new StateDue(take.Step, failure), self);
        return null;
    }

    private (TakeCheckpoint Take, string? Failure)? TakeDue(TakeCheckpoint take, string failure)
    {
        if (isGoingBack())
        {
            return End(take, failure);
        }

        Ask(take);
        return null;
    }

    private (TakeCheckpoint Take, string? Failure) End(TakeCheckpoint take, string? failure)
    {
        _take = null;
        return (take, failure);
    }

    /// <summary>Looks behind the copying whether anything was written meanwhile, as all do who read slices.</summary>
    private string? Copy(Step step)
    {
        var version = VersionAt(step);
        if (version is not null)
        {
            copy(step);
        }

        return version is not null && VersionAt(step) == version ? null : $"a slice that was at step {step} has changed";
    }

    /// <summary>Grows with each change of any slice; none unless all stand at a step.</summary>
    private long? VersionAt(Step step)
    {
        var sum = 0L;
        for (var shard = 0; shard < run.Shards.Length; shard++)
        {
            var (weights, moments, version) = run.Slices.Look(shard);
            if (weights != step.Number || moments != step.Number)
            {
                return null;
            }

            sum += version;
        }

        return sum;
    }

    private void Ask(TakeCheckpoint take) => run.NodeActor.Tell(new StateWanted(take.Epoch, take.Step), self);
}
