using Akka.Actor;
using Cllm.Actors.Inspection;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Local;

/// <summary>What stays of a run's coordinator when its actor fails: the next one in this process goes on from it. Used by the coordinator's thread.</summary>
/// <param name="host">Weights, data, checkpoints.</param>
/// <param name="observer">Who watches; called by the coordinator's thread.</param>
/// <param name="settings">What the first coordinator of this process is made with.</param>
/// <param name="inspector">What it remembers for whoever inspects the run.</param>
internal sealed class CoordinatorRun(IRunHost host, ITrainingObserver observer, CoordinatorSettings settings, RunInspector inspector)
{
    /// <summary>Weights, data, checkpoints.</summary>
    public IRunHost Host => host;

    /// <summary>Who watches; called by the coordinator's thread.</summary>
    public ITrainingObserver Observer => observer;

    /// <summary>What it remembers for whoever inspects the run.</summary>
    public RunInspector Inspector => inspector;

    /// <summary>What the next coordinator in this process is made with.</summary>
    public CoordinatorSettings Settings => Epoch.Number == 0 ? settings : settings with
    {
        FirstEpoch = Epoch.Next,
        IsSuccessor = true,
        IsStepLearned = false,
        FirstStep = new(CommittedSteps),
        LastCheckpoint = new(CheckpointedSteps),
    };

    /// <summary>The epoch persisted last; 0 before the first.</summary>
    public Epoch Epoch { get; set; }

    /// <summary>Updates made.</summary>
    public long CommittedSteps { get; set; } = settings.FirstStep.Number;

    /// <summary>Updates in the newest checkpoint.</summary>
    public long CheckpointedSteps { get; set; } = (settings.LastCheckpoint ?? settings.FirstStep).Number;

    /// <summary>Whether the run was asked to stop: a successor of the coordinator is asked as well.</summary>
    public bool IsStopWanted { get; set; }

    /// <summary>Whether the run may begin, or has: all processes that may coordinate it were there once. An actor that takes the place of a failed one waits for nobody.</summary>
    public bool MayBegin { get; set; }

    /// <summary>Whether the last checkpoint could not be written here, for a reason that another process may not have. Set by the thread that writes.</summary>
    public bool HasDiskFailed { get; set; }

    /// <summary>Whether this process coordinates no longer because of that, and the run goes on without it.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Where workers are: whoever announced itself, at its newest address.</summary>
    public Dictionary<int, IActorRef> WorkerAddresses { get; } = [];

    /// <summary>Where shards are: whoever announced itself, at its newest address.</summary>
    public Dictionary<int, IActorRef> ShardAddresses { get; } = [];

    /// <summary>Something out of the ordinary: told to whoever watches, and remembered for whoever asks.</summary>
    public void Note(string reason)
    {
        observer.Note(reason);
        inspector.Noted(reason);
    }

    /// <summary>The checkpoint being written, or the last one that was.</summary>
    public Task Writing { get; set; } = Task.CompletedTask;
}

/// <summary>A reason that an actor wants the observer to be told.</summary>
/// <param name="Reason">One sentence.</param>
internal sealed record Noted(string Reason) : Wire.IWire;
