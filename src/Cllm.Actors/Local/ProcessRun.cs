using Akka.Actor;
using Cllm.Actors.Inspection;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Tree;

namespace Cllm.Actors.Local;

/// <summary>What the workers and shards of one process share: they live shorter than it, for a failed one is replaced.</summary>
internal abstract class ProcessRun
{
    /// <summary>Sets up the state that outlives the actors.</summary>
    /// <param name="host">Weights, data, checkpoints.</param>
    /// <param name="leaves">L, leaves of each step.</param>
    /// <param name="shards">Shards of the run.</param>
    /// <param name="slice">The step at which the slices in this process stand; none when it holds none.</param>
    /// <param name="workers">Workers of this process.</param>
    /// <param name="firstWorker">Number of its first worker; the others follow.</param>
    protected ProcessRun(IRunHost host, int leaves, int shards, Step? slice, int workers, int firstWorker)
    {
        (Host, Tree, FirstWorker) = (host, new(leaves), firstWorker);
        Gradients = new(workers, firstWorker);
        Counters = new(Enumerable.Range(firstWorker, workers).Select(worker => new WorkerId(worker)));
        Workers = [.. Enumerable.Range(0, workers).Select(_ => new WorkerSlot())];
        Shards = [.. Enumerable.Range(0, shards).Select(_ => new ShardSlot { Slice = slice })];
    }

    /// <summary>Weights, data, checkpoints.</summary>
    public virtual IRunHost Host { get; }

    /// <summary>The node that this process is.</summary>
    public virtual NodeId Node => default;

    /// <summary>The newest epoch that this process has heard of; members that are started take no order of an earlier one.</summary>
    public virtual Epoch NewestEpoch => default;

    /// <summary>The reduction tree.</summary>
    public LeafTree Tree { get; }

    /// <summary>Where the gradients of this process are.</summary>
    public GradientBoard Gradients { get; }

    /// <summary>What workers and shards have done.</summary>
    public NodeCounters Counters { get; }

    /// <summary>Number of this process's first worker.</summary>
    public int FirstWorker { get; }

    /// <summary>One per worker of this process.</summary>
    public WorkerSlot[] Workers { get; }

    /// <summary>One per shard of the run.</summary>
    public ShardSlot[] Shards { get; }

    /// <summary>Whether the weights in this process are those of a step, all of them.</summary>
    public abstract bool AreWeightsAt(Step step);

    /// <summary>Grows whenever weights here change: who computed with those of a step has done so only if this is afterwards what it was before.</summary>
    public virtual long WeightsVersion => 0;

    /// <summary>Has <see cref="WeightsArrived"/> told to a worker when they are.</summary>
    /// <param name="epoch">The epoch of the lease that needs them.</param>
    /// <param name="step">The step.</param>
    /// <param name="worker">Who is told.</param>
    public abstract void AwaitWeights(Epoch epoch, Step step, IActorRef worker);

    /// <summary>What a shard's actor needs of other processes, and of where gradients are.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="self">Its actor.</param>
    public abstract IShardPeers PeersOf(ShardIndex shard, IActorRef self);

    /// <summary>Makes a shard's arithmetic.</summary>
    public virtual IShardCompute CreateShard(ShardIndex shard) => Host.CreateShard(shard.Number, Shards.Length);

    /// <summary>A shard is about to reduce.</summary>
    public virtual void SumChanges(ShardIndex shard)
    {
    }

    /// <summary>What a shard has reduced is committed: it is about to update its slice.</summary>
    public virtual void SumStands(ShardIndex shard, Step step, in StepScalars scalars)
    {
    }

    /// <summary>A shard is about to update its slice, which stands at a step: until it has, the slice is neither step's.</summary>
    /// <exception cref="InvalidOperationException">The slice does not stand at that step any more: the state went back to a checkpoint while the shard was another process's.</exception>
    public virtual void BeginUpdate(ShardIndex shard, Step step) => SliceChanges(shard);

    /// <summary>A shard's update is over, well or badly.</summary>
    public virtual void EndUpdate(ShardIndex shard)
    {
    }

    /// <summary>A shard is about to change its slice: until it has, the slice is neither step's.</summary>
    public virtual void SliceChanges(ShardIndex shard) => Shards[shard.Number].Slice = null;

    /// <summary>A shard's slice stands at a step.</summary>
    public virtual void SliceStands(ShardIndex shard, Step step) => Shards[shard.Number].Slice = step;
}

/// <summary>What stays of a worker when its actor fails.</summary>
internal sealed class WorkerSlot
{
    /// <summary>How often it was started.</summary>
    public long Incarnation { get; set; }
}

/// <summary>What stays of a shard when its actor fails: its slice is in the host's memory, which the actor only writes to.</summary>
internal sealed class ShardSlot
{
    /// <summary>Its newest incarnation.</summary>
    public long Incarnation { get; set; }

    /// <summary>
    /// The step at which the slice stands; none while it is half updated or not here. Written by the shard, and by the coordinator when no shard is at work.
    /// </summary>
    public Step? Slice { get; set; }
}

/// <summary>Tells a worker that the weights it awaited may have arrived.</summary>
internal sealed record WeightsArrived : INoSerializationVerificationNeeded
{
    /// <summary>The one there is.</summary>
    public static WeightsArrived Instance { get; } = new();
}
