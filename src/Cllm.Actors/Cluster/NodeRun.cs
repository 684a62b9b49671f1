using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Nodes;

namespace Cllm.Actors.Cluster;

/// <summary>What the actors of one process of a cluster share.</summary>
internal sealed class NodeRun : ProcessRun
{
    private readonly bool[] _owned;
    private long _epoch;

    /// <summary>Sets up the state that outlives the actors.</summary>
    public NodeRun(ClusterSettings settings, INodeHost host)
        : base(host, settings.Leaves, host.Shards(settings.Shards), slice: null, settings.Workers, NodeNumbers.FirstWorker(settings.Node))
    {
        Invariant.Holds(settings.Workers is >= 0 and <= NodeNumbers.WorkersMax, $"a node has 0 to {NodeNumbers.WorkersMax} workers, not {settings.Workers}");
        Invariant.Holds(Shards.Length <= ClusterSettings.ShardsMax, $"a cluster has at most {ClusterSettings.ShardsMax} shards, not {Shards.Length}");
        Settings = settings;
        Ranges = [.. host.Ranges(Shards.Length)];
        Slices = new(Shards.Length);
        Gradients.Changed = Slices.Changed;
        Updates = new(Ranges);
        _owned = new bool[Shards.Length];
    }

    /// <summary>What this process takes part with.</summary>
    public ClusterSettings Settings { get; }

    /// <summary>Weights, moments, data, checkpoints.</summary>
    public override INodeHost Host => (INodeHost)base.Host;

    /// <summary>Each shard's range of the flat vector.</summary>
    public ParameterRange[] Ranges { get; }

    /// <summary>Where each slice in this process's memory stands.</summary>
    public SliceBoard Slices { get; }

    /// <summary>What takes slices from one step to the next.</summary>
    public SliceUpdates Updates { get; }

    /// <summary>This process's end of the channel; set before any actor is started.</summary>
    public NodeChannel Channel { get; set; } = null!;

    /// <summary>Copies the coordinator's checkpoints; none where this process never coordinates. Set before any actor is started.</summary>
    public CheckpointFollower? Follower { get; set; }

    /// <summary>Tells actors things later. It comes with the process's actors, and they use it.</summary>
    public IScheduler Scheduler { get; init; } = null!;

    /// <summary>Reaches the actor of a path, here or in another process. It comes with the process's actors, and they use it.</summary>
    public Func<string, ICanTell> ActorAt { get; init; } = null!;

    /// <summary>How long something has taken.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The node's actor; set by it before it starts others.</summary>
    public IActorRef NodeActor { get; set; } = ActorRefs.Nobody;

    /// <summary>What the run's coordinator here knows, or knew last; none where it never was. Set by its seat.</summary>
    public CoordinatorRun? Coordination { get; set; }

    /// <summary>Who takes part, as heard last. Set by the node's actor, read by any thread.</summary>
    public ClusterDirectory Directory { get; set; } = ClusterDirectory.Empty;

    /// <inheritdoc/>
    public override NodeId Node => Settings.Node;

    /// <inheritdoc/>
    public override Epoch NewestEpoch => new(Volatile.Read(ref _epoch));

    /// <summary>What keeps this process's shards and slices; its user disposes it.</summary>
    public NodeShards KeepShards(IActorRef node, Func<StartShard, IActorRef> start, Action<IActorRef> stop) => new(this, node, start, stop);

    /// <summary>Whether a shard's actor runs here or is about to, so that its slice is nobody else's to write.</summary>
    public bool IsOwnedHere(int shard) => Volatile.Read(ref _owned[shard]);

    /// <summary>A shard is about to run here. Called by the node's actor.</summary>
    public void OwnHere(int shard) => Volatile.Write(ref _owned[shard], true);

    /// <summary>A shard runs here no longer: its moments are not looked after any more, and who waits for its next step hears of that. Called by the node's actor.</summary>
    public void GiveAway(int shard)
    {
        Volatile.Write(ref _owned[shard], false);
        Shards[shard].Slice = null;
        Slices.Change(shard, SliceParts.Moments);
        Slices.Changed.Pulse();
    }

    /// <summary>An epoch was heard of. Called by the node's actor.</summary>
    public void Follow(Epoch epoch) => Volatile.Write(ref _epoch, Math.Max(_epoch, epoch.Number));

    /// <inheritdoc/>
    public override long WeightsVersion => Slices.WeightsVersion;

    /// <inheritdoc/>
    public override bool AreWeightsAt(Step step) => Slices.AreWeightsAt(step.Number);

    /// <inheritdoc/>
    public override void AwaitWeights(Epoch epoch, Step step, IActorRef worker)
    {
        if (!Slices.Await(step.Number, worker))
        {
            NodeActor.Tell(new WeightsWanted(epoch, step), ActorRefs.NoSender);
        }
    }

    /// <inheritdoc/>
    public override IShardPeers PeersOf(ShardIndex shard, IActorRef self) => new ShardPeers(this, shard, self);

    /// <inheritdoc/>
    public override IShardCompute CreateShard(ShardIndex shard)
    {
        SumChanges(shard);
        return Host.CreateShard(shard.Number, Shards.Length, Updates.Of(shard.Number));
    }

    /// <inheritdoc/>
    public override void SumChanges(ShardIndex shard) => Updates.Change(shard.Number);

    /// <inheritdoc/>
    public override void SumStands(ShardIndex shard, Step step, in StepScalars scalars) => Updates.Stand(shard.Number, step.Number, scalars);

    /// <inheritdoc/>
    public override void BeginUpdate(ShardIndex shard, Step step)
    {
        Invariant.Holds(Slices.BeginUpdate(shard.Number, step.Number), $"the slice of shard {shard} does not stand at step {step} any more");
        Shards[shard.Number].Slice = null;
    }

    /// <inheritdoc/>
    public override void EndUpdate(ShardIndex shard) => Slices.EndUpdate(shard.Number);

    /// <inheritdoc/>
    public override void SliceChanges(ShardIndex shard)
    {
        base.SliceChanges(shard);
        Slices.Change(shard.Number, SliceParts.All);
    }

    /// <inheritdoc/>
    public override void SliceStands(ShardIndex shard, Step step)
    {
        base.SliceStands(shard, step);
        Slices.Stand(shard.Number, SliceParts.All, step.Number);
    }

    /// <summary>The host has loaded the state of the first step: a shard can begin with it here as long as nothing else is written in its place.</summary>
    public void HoldFirstStep()
    {
        for (var shard = 0; shard < Shards.Length; shard++)
        {
            Slices.Stand(shard, SliceParts.All, Settings.FirstStep);
        }
    }

    /// <summary>A shard that was given to this node begins with what this process's state has of it, be that a copy or left from before.</summary>
    public void ChooseSlice(int shard) => Shards[shard].Slice = Slices.AllOf(shard) is >= 0 and var here ? new Step(here) : null;
}
