using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Coordination;

/// <summary>What the coordinator is waiting for.</summary>
public enum CoordinatorPhase
{
    /// <summary>All shards and enough workers to be there.</summary>
    Assembling,

    /// <summary>Gradients of all leaves of the step; or, when it has them, shards to be there to reduce them.</summary>
    Computing,

    /// <summary>All shards to have reduced.</summary>
    Reducing,

    /// <summary>Its host to have made the step's scalars.</summary>
    Combining,

    /// <summary>All shards to have updated their slices: the step is committed.</summary>
    Applying,

    /// <summary>All held-out units to be evaluated.</summary>
    Evaluating,

    /// <summary>Its host to have made the evaluation's loss.</summary>
    CombiningEvaluation,

    /// <summary>Its host to have copied the state.</summary>
    Snapshotting,

    /// <summary>A checkpoint to be written, before the run ends.</summary>
    AwaitingCheckpoint,

    /// <summary>To be told to go on.</summary>
    Paused,

    /// <summary>As many nodes to be there as a step needs, or all shards for a checkpoint.</summary>
    AwaitingMembers,

    /// <summary>Its host to have brought all slices back to a checkpoint.</summary>
    Restoring,

    /// <summary>Nothing: the run has ended.</summary>
    Ended,
}

/// <summary>
/// Decides who computes what, and when a step is committed. It leases leaves to workers, orders the reduction when each leaf is there
/// exactly once, commits
/// when every shard has reduced, and goes on when every shard has updated; what is lost on the way is leased or ordered again, and what
/// cannot be done again
/// (half an update) goes back to the last checkpoint.
/// </summary>
public sealed partial class Coordinator : IMachine
{
    private readonly CoordinatorSettings _settings;
    private readonly LeafTree _tree;

    /// <summary>Leases of the step or evaluation under way; of no units in between.</summary>
    private readonly LeaseLedger _leases;

    private EffectList _effects = null!;
    private string _saidOnce = "";
    private long _nowTicks;

    /// <summary>When the phase began.</summary>
    private long _phaseTicks;

    /// <summary>Creates a coordinator that waits for its workers and shards.</summary>
    public Coordinator(CoordinatorSettings settings)
    {
        Invariant.Holds(settings.Leaves > 0 && settings.Shards > 0 && settings.WorkersToStart > 0, "a run has leaves, shards and workers");
        Invariant.Holds(settings.WorkersToStart <= settings.WorkersMax, "there is room for the workers that a run waits for");
        Invariant.Holds(settings.NodesToStart >= 0 && settings.NodesMin >= 0 && Math.Max(settings.NodesToStart, settings.NodesMin) <= settings.NodesMax, "there is room for the nodes that a run waits for");
        Invariant.Holds(settings.FirstEpoch.Number > 0 && (settings.IsSuccessor || !settings.IsStepLearned), "only a successor has to learn where its run stands");
        Invariant.Holds(settings.FirstStep.Number >= 0 && settings.FirstStep.Number <= settings.Steps, "a run begins within its steps");
        Invariant.Holds(settings.PatienceTicks > 0 && settings.NodesPerWorkerMin > 0 && settings.FailuresMax >= 0, "limits are positive");
        Invariant.Holds(settings.TimesMin > 0 && settings.TimesMin <= settings.TimesMax && settings.LateTicksMin >= 0, "a median is of at least one time");
        Invariant.Holds(settings.RetriesMax > 0 && settings.StepsPassedOverMax > 0 && settings.NodesMax > 0, "limits are positive");
        _settings = settings;
        _tree = new(settings.Leaves);
        _allLeaves = [.. Enumerable.Range(0, settings.Leaves)];
        _shards = [.. Enumerable.Range(0, settings.Shards).Select(shard => new ShardMember(new(shard)))];
        Fence.Epoch = settings.FirstEpoch;
        _leases = new(LeaseId.FirstOf(Fence.Epoch));
        _times = new(settings.TimesMax);
        Fence.Step = _furthest = _evaluated = settings.FirstStep;
        _checkpointed = settings.LastCheckpoint ?? settings.FirstStep;
    }

    /// <summary>What it is waiting for.</summary>
    public CoordinatorPhase Phase
    {
        get;
        private set
        {
            _phaseTicks = field == value ? _phaseTicks : _nowTicks;
            field = value;
        }
    }

    /// <summary>Epoch and step that hold, and what was dropped.</summary>
    public Fence Fence { get; } = new();

    /// <summary>Leases given and neither answered nor void.</summary>
    public int LeasesOutstanding => _workers.Values.Sum(member => member.Open.Count);

    /// <inheritdoc/>
    public void Handle(long nowTicks, Input input, EffectList effects)
    {
        (_nowTicks, _effects) = (nowTicks, effects);
        var reason = Phase == CoordinatorPhase.Ended ? TakeAfterEnd(input) : Take(input);
        if (reason != DropReason.None)
        {
            Fence.Drop(reason, input, effects);
        }

        SetDeadline();
    }

    /// <summary>Everything is dropped; a node that comes too late is told that, so that it does not wait for good.</summary>
    private DropReason TakeAfterEnd(Input input)
    {
        if (input is NodeJoining joining)
        {
            Tell(Destination.Of(joining.Node), new JoinRefused(joining.Node, $"the run has ended: {_endReason}"));
        }
        else if (input is NodeLeaving leaving)
        {
            Tell(Destination.Of(leaving.Node), new NodeDrained(Fence.Epoch, leaving.Node));
        }

        return DropReason.Finished;
    }

    private DropReason Take(Input input)
    {
        switch (input)
        {
            case StepInput awaited:
                return TakeStepInput(awaited);
            case WorkerStarted or WorkerLost or WorkerLeaving or ShardStarted or ShardLost or NodeJoining or NodeLost
                or NodeLeaving or DrainRequested:
                return TakeMembership(input);
            case ReplicaHeld held:
                return TakeHeld(held);
            case ReplicaUpdated updated:
                return TakeReplica(updated);
            case MachineStarted:
                return Announce();
            case CheckpointWritten written:
                return EndWriting(written.Step, null, written.Digest);
            case CheckpointFailed failed:
                return EndWriting(failed.Step, failed.Reason, "");
            case Restored restored:
                return TakeRestored(restored);
            case RestoreFailed failed:
                return TakeRestoreFailed(failed);
            case StopRequested:
                return Stop();
            case CheckpointRequested:
                return RequestCheckpoint();
            case PauseRequested:
                _isPauseWanted = true;
                return DropReason.None;
            case ResumeRequested:
                return Resume();
            case DeadlinePassed:
                PassDeadline();
                return DropReason.None;
            default:
                throw Invariant.Broken($"a coordinator takes no {input.GetType().Name}");
        }
    }

    /// <summary>A coordinator that succeeds another: whoever it reaches follows its epoch and announces itself.</summary>
    private DropReason Announce()
    {
        _effects.Add(new Persist(Fence.Epoch, Fence.Step));
        var started = new CoordinatorStarted(Fence.Epoch);
        Tell(Destination.EveryNode, started);
        if (_settings.Run is null)
        {
            Tell(Destination.EveryShard, started);
            Tell(Destination.EveryWorker, started);
        }

        Progress();
        _settledTicks = _settings.IsSuccessor ? _nowTicks + _settings.SettleTicks : 0;
        return DropReason.None;
    }

    private DropReason TakeStepInput(StepInput input)
    {
        Hear(input);
        var reason = Judge(input);
        if (reason != DropReason.None)
        {
            return reason;
        }

        Progress();
        switch (input)
        {
            case LeaseAnswer answer:
                TakeAnswer(answer);
                break;
            case ShardReduced reduced:
                TakeReduced(reduced);
                break;
            case ShardUnfit unfit:
                TakeUnfit(unfit);
                break;
            case StatisticsCombined combined:
                Commit(combined.Payload);
                break;
            case ShardUpdated updated:
                TakeUpdated(_shards[updated.Shard.Number]);
                break;
            case EvaluationCombined combined:
                EndEvaluation(combined.Payload);
                break;
            case SnapshotTaken:
                EndSnapshot();
                break;
        }

        return DropReason.None;
    }

    /// <summary>
    /// Whether an input is awaited by this attempt at this step: the only gate through which anything gets that changes a step.
    /// </summary>
    private DropReason Judge(StepInput input)
    {
        var reason = Fence.Compare(input);
        if (reason != DropReason.None)
        {
            return reason;
        }

        return input switch
        {
            GradientReady answer => Phase == CoordinatorPhase.Evaluating ? DropReason.NotAwaited : _leases.Judge(answer),
            EvaluationReady answer => Phase != CoordinatorPhase.Evaluating ? DropReason.NotAwaited : _leases.Judge(answer),
            ShardReduced answer => JudgeShard(answer.Shard, CoordinatorPhase.Reducing, shard => shard.Reduced is not null),
            ShardUnfit answer => JudgeShard(answer.Shard, CoordinatorPhase.Reducing, shard => shard.Reduced is not null),
            ShardUpdated answer => JudgeShard(answer.Shard, CoordinatorPhase.Applying, shard => shard.IsUpdated),
            StatisticsCombined => Await(CoordinatorPhase.Combining),
            EvaluationCombined => Await(CoordinatorPhase.CombiningEvaluation),
            SnapshotTaken => Await(CoordinatorPhase.Snapshotting),
            _ => throw Invariant.Broken($"a coordinator takes no {input.GetType().Name}"),
        };
    }

    private DropReason JudgeShard(ShardIndex shard, CoordinatorPhase phase, Func<ShardMember, bool> isAnswered)
    {
        if (shard.Number < 0 || shard.Number >= _shards.Length)
        {
            return DropReason.UnknownSender;
        }

        var reason = Await(phase);
        return reason != DropReason.None ? reason
            : !_shards[shard.Number].IsLive ? DropReason.UnknownSender
            : isAnswered(_shards[shard.Number]) ? DropReason.Duplicate
            : DropReason.None;
    }

    private DropReason Await(CoordinatorPhase phase) => Phase == phase ? DropReason.None : DropReason.NotAwaited;

    private void BeginEpoch(string reason)
    {
        Fence.Epoch = Fence.Epoch.Next;
        _survived.Epochs++;
        Invariant.Holds(Fence.Epoch.Number - _settings.FirstEpoch.Number < Epoch.PerCoordinatorMax, $"a coordinator has at most {Epoch.PerCoordinatorMax} epochs");
        _effects.Add(new Persist(Fence.Epoch, Fence.Step));
        Say($"epoch {Fence.Epoch} begins at step {Fence.Step}: {reason}");
    }

    /// <summary>Says what is said at every try only when it is something else than the last time.</summary>
    private void SayOnce(string reason)
    {
        if (reason != _saidOnce)
        {
            _saidOnce = reason;
            Say(reason);
        }
    }

    private void Say(string reason) => _effects.Add(new Note(reason));

    private void Tell(Destination to, Input message) => _effects.Add(new Send(to, message));
}
