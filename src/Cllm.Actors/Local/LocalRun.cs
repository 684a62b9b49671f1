using Akka.Actor;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Tree;

namespace Cllm.Actors.Local;

/// <summary>What the actors of a run in one process share: they live shorter than it, for a failed one is replaced.</summary>
internal sealed class LocalRun
{
    /// <summary>Sets up the state that outlives the actors.</summary>
    public LocalRun(IRunHost host, ITrainingObserver observer, CoordinatorSettings settings, int workers)
    {
        (Host, Observer, Settings) = (host, observer, settings);
        Tree = new(settings.Leaves);
        Gradients = new(workers);
        Workers = [.. Enumerable.Range(0, workers).Select(_ => new WorkerSlot())];
        Shards = [.. Enumerable.Range(0, settings.Shards).Select(_ => new ShardSlot { Slice = settings.FirstStep })];
        (CommittedSteps, CheckpointedSteps) = (settings.FirstStep.Number, settings.FirstStep.Number);
    }

    /// <summary>Weights, data, checkpoints.</summary>
    public IRunHost Host { get; }

    /// <summary>Who watches; called by the coordinator's thread.</summary>
    public ITrainingObserver Observer { get; }

    /// <summary>What the first coordinator is made with.</summary>
    public CoordinatorSettings Settings { get; }

    /// <summary>The reduction tree.</summary>
    public LeafTree Tree { get; }

    /// <summary>Where gradients are.</summary>
    public GradientBoard Gradients { get; }

    /// <summary>One per worker.</summary>
    public WorkerSlot[] Workers { get; }

    /// <summary>One per shard.</summary>
    public ShardSlot[] Shards { get; }

    /// <summary>Updates made. Written by the coordinator's thread.</summary>
    public long CommittedSteps { get; set; }

    /// <summary>The coordinator's epoch: a successor in this process begins the one after it. Written by the coordinator's thread.</summary>
    public Cllm.Protocol.Identity.Epoch Epoch { get; set; }

    /// <summary>Updates in the newest checkpoint. Written by the coordinator's thread.</summary>
    public long CheckpointedSteps { get; set; }

    /// <summary>Whether the run was asked to stop: a successor of the coordinator is asked as well.</summary>
    public bool IsStopWanted { get; set; }

    /// <summary>Where workers are: whoever announced itself, at its newest address. Used by the coordinator's thread.</summary>
    public Dictionary<int, IActorRef> WorkerAddresses { get; } = [];

    /// <summary>Where shards are: whoever announced itself, at its newest address. Used by the coordinator's thread.</summary>
    public Dictionary<int, IActorRef> ShardAddresses { get; } = [];

    /// <summary>What a coordinator is made with that succeeds one that failed.</summary>
    public CoordinatorSettings SettingsOfSuccessor => Settings with
    {
        FirstEpoch = Epoch.Next,
        IsSuccessor = true,
        FirstStep = new(CommittedSteps),
        LastCheckpoint = new(CheckpointedSteps),
    };

    /// <summary>The checkpoint being written, or the last one that was.</summary>
    public Task Writing { get; set; } = Task.CompletedTask;
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
    /// <summary>How often it was started.</summary>
    public long Incarnation { get; set; }

    /// <summary>
    /// The step at which the slice stands; none while it is half updated. Written by the shard, and by the coordinator when no shard is at
    /// work.
    /// </summary>
    public Cllm.Protocol.Identity.Step? Slice { get; set; }
}

/// <summary>A reason that an actor wants the observer to be told.</summary>
internal sealed record Noted(string Reason) : INoSerializationVerificationNeeded;
