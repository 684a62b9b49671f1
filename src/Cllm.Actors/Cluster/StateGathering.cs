using Akka.Actor;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>Brings the whole state of a step into this process, for a checkpoint: all slices that others own are fetched at once.</summary>
internal sealed class StateGathering
{
    private readonly StateWanted _wanted;
    private readonly IActorRef _asker;
    private int _missing = 1;
    private string? _failure;

    private StateGathering(StateWanted wanted, IActorRef asker) => (_wanted, _asker) = (wanted, asker);

    /// <summary>Begins.</summary>
    /// <param name="run">The process.</param>
    /// <param name="slices">What fetches.</param>
    /// <param name="wanted">The step.</param>
    /// <param name="asker">Hears how it ended, by a <see cref="StateGathered"/>.</param>
    public static void Begin(NodeRun run, SliceFetches slices, StateWanted wanted, IActorRef asker) =>
        new StateGathering(wanted, asker).Begin(run, slices);

    private void Begin(NodeRun run, SliceFetches slices)
    {
        for (var shard = 0; shard < run.Shards.Length; shard++)
        {
            if (run.Slices.AllOf(shard) == _wanted.Step.Number)
            {
                continue;
            }

            if (run.Directory.OwnerOf(shard) is { } owner && owner.Node != run.Node)
            {
                _missing++;
                slices.Pull(new(_wanted.Epoch, new ShardIndex(shard), _wanted.Step, owner.Channel), End);
            }
            else
            {
                _failure = $"shard {shard} has no owner that stands at step {_wanted.Step}";
            }
        }

        End(_failure);
    }

    private void End(string? failure)
    {
        _failure ??= failure;
        if (--_missing == 0)
        {
            _asker.Tell(new StateGathered(_wanted.Step, _failure), ActorRefs.NoSender);
        }
    }
}
