using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Local;

/// <summary>The coordinator of a run in one process, where all slices are in the host's memory.</summary>
internal sealed class LocalCoordinatorActor(LocalRun run) : CoordinatorActor(run.Coordinator)
{
    protected override void Inspect() => run.Coordinator.Inspector.Heard(run.Counters.Report(new(0), "this process"));

    protected override void SendToNodes(Send send)
    {
        // A single process has no node beside itself, and that one need not ask.
    }

    protected override Input? TakeCheckpoint(TakeCheckpoint take)
    {
        try
        {
            CopyState(take.Step);
        }
        catch (Exception failure)
        {
            return new CheckpointFailed(take.Step, failure.Message);
        }

        return WriteCopy(take);
    }

    protected override Input? Restore(Restore restore)
    {
        try
        {
            var step = new Protocol.Identity.Step(run.Host.Restore());
            foreach (var slot in run.Shards)
            {
                slot.Slice = step;
            }

            TellAll(run.Coordinator.ShardAddresses, new Own(new SliceRestored(restore.Epoch, step)));
            return new Restored(restore.Epoch, step);
        }
        catch (Exception failure)
        {
            return new RestoreFailed(restore.Epoch, failure.Message);
        }
    }
}
