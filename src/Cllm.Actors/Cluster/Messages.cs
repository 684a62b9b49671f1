using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Actors.Wire;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>Where a node is; it comes before each of its announcements.</summary>
/// <param name="Node">The node.</param>
/// <param name="Channel">Where its tensors are fetched.</param>
/// <param name="MayCoordinate">Whether its process may coordinate.</param>
/// <param name="IsMember">Whether it counts in the membership, as one that is about to be a member does not.</param>
internal sealed record NodeLocated(NodeId Node, ChannelAddress Channel, bool MayCoordinate, bool IsMember) : IWire;

/// <summary>A node that is where another node of its number is: it is not taken in.</summary>
/// <param name="Node">The number.</param>
internal sealed record NodeNumberTaken(NodeId Node) : IWire;

/// <summary>Who takes part, and who owns which shard: told to every node when it changes, and with every admission, which makes up for a lost one.</summary>
/// <param name="Epoch">The coordinator's epoch.</param>
/// <param name="Version">Grows with each change within the life of a coordinator.</param>
/// <param name="Nodes">The nodes.</param>
/// <param name="Owners">The owner of each shard.</param>
/// <param name="Checkpoint">The coordinator's newest checkpoint; none when it has none.</param>
internal sealed record ClusterDirectory(Epoch Epoch, long Version, NodePlace[] Nodes, ShardPlace[] Owners, CheckpointPlace? Checkpoint) : IWire
{
    /// <summary>Before the first one has come.</summary>
    public static ClusterDirectory Empty { get; } = new(default, 0, [], [], null);

    /// <summary>Where a node is; none when it takes no part.</summary>
    public NodePlace? Find(NodeId node)
    {
        foreach (var place in Nodes)
        {
            if (place.Node == node)
            {
                return place;
            }
        }

        return null;
    }

    /// <summary>Where a shard's owner is; none when it has none that takes part.</summary>
    public NodePlace? OwnerOf(int shard) => shard < Owners.Length && Owners[shard].Node is { } node ? Find(node) : null;
}

/// <summary>Where a node is.</summary>
/// <param name="Node">The node.</param>
/// <param name="Actor">Path of its actor.</param>
/// <param name="Channel">Where its tensors are fetched.</param>
internal sealed record NodePlace(NodeId Node, string Actor, ChannelAddress Channel);

/// <summary>Where a shard is.</summary>
/// <param name="Node">Its owner; none when nobody owns it.</param>
/// <param name="Incarnation">The incarnation that announced itself there.</param>
internal readonly record struct ShardPlace(NodeId? Node, Incarnation Incarnation);

/// <summary>Where a checkpoint is.</summary>
/// <param name="Step">Steps committed in it.</param>
/// <param name="From">Where its files are fetched.</param>
/// <param name="State">Its state.json, which says how long its files are and what is in them.</param>
internal sealed record CheckpointPlace(Step Step, ChannelAddress From, byte[] State);

/// <summary>Order of a shard's owner to the node of its replica: have the slice as it stands here.</summary>
/// <param name="Epoch">The owner's epoch.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Step">The step at which the slice stands.</param>
/// <param name="From">Where it is.</param>
internal sealed record ReplicaOffered(Epoch Epoch, ShardIndex Shard, Step Step, ChannelAddress From) : IWire;

/// <summary>Answer to <see cref="ReplicaOffered"/>.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Step">The step.</param>
/// <param name="Failure">Why the node does not hold all of it; none when it does.</param>
internal sealed record ReplicaFetched(ShardIndex Shard, Step Step, string? Failure) : ShardPeersMessage, IWire;

/// <summary>Order of the coordinator's process to a shard: fetch your slice, which went back to a checkpoint.</summary>
/// <param name="Epoch">The epoch of the restoring.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Step">The checkpoint's step.</param>
/// <param name="From">Where it is.</param>
internal sealed record RestoreOrdered(Epoch Epoch, ShardIndex Shard, Step Step, ChannelAddress From) : ShardPeersMessage, IWire;

/// <summary>Answer to <see cref="RestoreOrdered"/>.</summary>
/// <param name="Epoch">The epoch of the restoring.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Failure">Why the shard does not stand there; none when it does.</param>
internal sealed record SliceIsRestored(Epoch Epoch, ShardIndex Shard, string? Failure) : IWire;

/// <summary>The run is over, for every node.</summary>
/// <param name="Outcome">How.</param>
/// <param name="Step">Updates made.</param>
/// <param name="Reason">One sentence.</param>
internal sealed record RunIsOver(RunOutcome Outcome, Step Step, string Reason) : IWire;

/// <summary>A message within a process.</summary>
internal abstract record Inside : INoSerializationVerificationNeeded;

/// <summary>A worker waits for the weights of a step.</summary>
internal sealed record WeightsWanted(Epoch Epoch, Step Step) : Inside;

/// <summary>A fetch of a slice into this process's state, or of what takes it to the next step, has ended.</summary>
internal sealed record SliceFetchEnded(int Shard, TensorKind Kind, Epoch Epoch, Step Step, FetchResult Result) : Inside;

/// <summary>A fetch of a slice may be tried again.</summary>
internal sealed record SliceFetchDue(int Shard) : Inside;

/// <summary>A shard wants its slice fetched; answered by <see cref="SlicePulled"/>.</summary>
internal sealed record SliceWanted(Epoch Epoch, ShardIndex Shard, Step Step, ChannelAddress From) : Inside;

/// <summary>A slice was fetched, or could not be.</summary>
internal sealed record SlicePulled(SliceWanted Wanted, string? Failure) : ShardPeersMessage, INoSerializationVerificationNeeded;

/// <summary>The coordinator is about to overwrite this process's state: nothing may be fetched into it. Answered by <see cref="SlicesHeld"/>.</summary>
internal sealed record HoldSlices(Epoch Epoch) : Inside;

/// <summary>Nothing is fetched until <see cref="ReleaseSlices"/>.</summary>
internal sealed record SlicesHeld(Epoch Epoch) : Inside;

/// <summary>Told to whoever waits for it: a shard of this process has updated its slice, or failed amid that.</summary>
internal sealed record UpdateEnded : Inside
{
    /// <summary>The one there is.</summary>
    public static UpdateEnded Instance { get; } = new();
}

/// <summary>Time to look again at who could not be reached before the run had begun.</summary>
internal sealed record SilenceOver : Inside;

/// <summary>The directory may be told again.</summary>
internal sealed record DirectoryDue : Inside;

/// <summary>Slices may be fetched again.</summary>
internal sealed record ReleaseSlices : Inside;

/// <summary>The coordinator wants the whole state of a step in this process; answered by <see cref="StateGathered"/>.</summary>
internal sealed record StateWanted(Epoch Epoch, Step Step) : Inside;

/// <summary>The state may be asked for once more: it could not be had.</summary>
internal sealed record StateDue(Step Step, string Failure) : Inside;

/// <summary>The whole state is here, or could not be had.</summary>
internal sealed record StateGathered(Step Step, string? Failure) : Inside;

/// <summary>The directory has changed.</summary>
internal sealed record DirectoryChanged : ShardPeersMessage, INoSerializationVerificationNeeded;

/// <summary>A fetch of a part of a gradient has ended. What was begun by a shard's actor that has failed is nothing to the one after it.</summary>
internal sealed record PartFetched(GradientGathering By, NodeId From, FetchResult Result) : ShardPeersMessage, INoSerializationVerificationNeeded;

/// <summary>Parts of a gradient that failed may be fetched again.</summary>
internal sealed record PartsDue(GradientGathering By) : ShardPeersMessage, INoSerializationVerificationNeeded;

/// <summary>A replica has not answered in time.</summary>
internal sealed record ReplicaOverdue(Step Step) : ShardPeersMessage, INoSerializationVerificationNeeded;

/// <summary>A copy is not sent for a reason that is known and told already, or that is none: its node is lost, or the slice is put back.</summary>
/// <param name="Step">The step of the copy.</param>
/// <param name="Reason">Why.</param>
internal sealed record ReplicaVoid(Step Step, string Reason) : ShardPeersMessage, INoSerializationVerificationNeeded;

/// <summary>Copies of a shard's slice failed again and again, of which its process tells, once for all its shards.</summary>
/// <param name="Replica">The node that was to hold them.</param>
/// <param name="Failure">Why the last one failed.</param>
internal sealed record CopiesFail(NodeId Replica, string Failure) : Inside;

/// <summary>Restoring has taken long enough.</summary>
internal sealed record RestoreOverdue(Epoch Epoch) : Inside;

/// <summary>This process is to finish what its workers were leased, and leave the run.</summary>
internal sealed record LeaveWanted : Inside;

/// <summary>No checkpoint of another process is copied here any more: this process may coordinate.</summary>
internal sealed record FollowingEnded : Inside;

/// <summary>The coordinator's actor may stop: nothing is being written.</summary>
internal sealed record HandOverNow : Inside;
