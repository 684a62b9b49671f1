using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Coordination;

/// <content>What there is to see of a run. Made only when somebody asks.</content>
public sealed partial class Coordinator
{
    private readonly Tally _survived = new();

    /// <summary>What went wrong since it began. Takes no memory, so a host may look after each input.</summary>
    public FaultCounts Faults => new(_survived.WorkersLost, _survived.NodesLost, _survived.ShardsLost, _survived.Restores, _survived.Epochs);

    /// <summary>What it knows at this moment. Changes nothing.</summary>
    /// <param name="nowTicks">The host's time, as for <see cref="Handle"/>.</param>
    public CoordinatorView View(long nowTicks) => new(
        nowTicks, Fence.Epoch, Fence.Step, _settings.Steps, _checkpointed, Phase, Wait(),
        [.. _workers.Values.Select(View)],
        [.. _nodes.Values.Select(node => new NodeView(node.Node, node.IsLive, node.IsLeaving, node.IsDrained))],
        [.. _shards.Select(View)],
        [.. _workers.Values.SelectMany(member => member.Open.Select(lease => View(member, lease, nowTicks)))],
        new(Faults, [.. Enum.GetValues<DropReason>().Where(reason => Fence.Dropped(reason) > 0).Select(reason => new DroppedView(reason, Fence.Dropped(reason)))]));

    /// <summary>Whether a node is to go, or has gone.</summary>
    public bool IsLeaving(NodeId node) => _nodes.TryGetValue(node.Number, out var member) && member.IsLeaving;

    private static WorkerView View(WorkerMember member) => new(
        member.Worker, member.Node, member.Incarnation, member.IsLive, member.IsLeaving, member.IsJoining, member.PassedOverUntil is not null,
        member.Open.Count, member.LeavesAnswered, member.Times.Count > 0 ? member.Times.MedianTicks : null, member.FailuresInAll);

    private ShardView View(ShardMember shard)
    {
        var isAwaited = Phase is CoordinatorPhase.Assembling or CoordinatorPhase.Restoring;
        var slice = !shard.IsLive || shard.IsUpdating ? null : isAwaited ? shard.Slice : shard.IsUpdated && Phase == CoordinatorPhase.Applying ? Fence.Step.Next : Fence.Step;
        return new(shard.Shard, shard.AssignedTo ?? (shard.Incarnation.Number > 0 ? shard.Node : null),
            shard.Incarnation, shard.IsLive, slice, shard.Replica, shard.ReplicaStep, shard == _moving ? _movingTo : null, shard.FailuresInAll);
    }

    private LeaseView View(WorkerMember member, LeaseId lease, long nowTicks)
    {
        var (first, count, node) = _leases.Range(lease);
        var (givenTicks, isCopy) = _leases.Giving(lease);
        return new(lease, member.Worker, Phase == CoordinatorPhase.Evaluating ? null : node, first, count, nowTicks - givenTicks, isCopy);
    }

    private WaitView? Wait()
    {
        var isPending = _leases.Pending > 0;
        var isShardMissing = !AreShardsLive() && Phase != CoordinatorPhase.Ended;
        (string Who, string What)? wait = Phase switch
        {
            CoordinatorPhase.Ended => null,
            CoordinatorPhase.Assembling when _restoreReason is null => (Awaited(), "to be there"),
            CoordinatorPhase.Computing when _leases.Complete && _moving is { } shard => ($"shard {shard.Shard}", $"to be copied to node {_movingTo}, where it moves"),
            CoordinatorPhase.Computing when _leases.Complete => (Join(Names(shard => !shard.IsLive)), "to be there, for all gradients are"),
            CoordinatorPhase.Computing or CoordinatorPhase.Evaluating when isPending => ("a worker", $"to be leased {_leases.Pending} of {_leases.Units} units"),
            CoordinatorPhase.Computing => (Awaited(), "to compute gradients"),
            CoordinatorPhase.Evaluating => (Awaited(), "to evaluate"),
            CoordinatorPhase.Reducing => (Awaited(), "to add gradients"),
            CoordinatorPhase.Combining => ("the coordinator", "to make the step's scalars"),
            CoordinatorPhase.Applying => (Awaited(), "to update"),
            CoordinatorPhase.CombiningEvaluation => ("the coordinator", "to make the evaluation's loss"),
            CoordinatorPhase.Snapshotting => ("the coordinator", "to copy the state for a checkpoint"),
            CoordinatorPhase.AwaitingCheckpoint => ("the coordinator", $"to write the checkpoint of step {_writing}"),
            CoordinatorPhase.Paused => ("an operator", "to tell it to go on"),
            CoordinatorPhase.AwaitingMembers => (Awaited(), "to be there"),
            CoordinatorPhase.Restoring when !_isRestoreStarted && _writing is { } writing => ("the coordinator", $"to write the checkpoint of step {writing} before it goes back"),
            CoordinatorPhase.Restoring when _isRestoreStarted => ("the coordinator", "to bring all slices back to a checkpoint"),
            _ when isShardMissing => (Join(Names(shard => !shard.IsLive)), "to be there before the run goes back to a checkpoint"),
            _ => (Join(Names(shard => shard.IsUpdating)), "to update before the run goes back to a checkpoint"),
        };
        return wait is var (who, what) ? new(who, what, Math.Max(_phaseTicks, IsWaitingForOthers ? _progressTicks : 0)) : null;
    }

    /// <summary>What went wrong since the coordinator began.</summary>
    private sealed class Tally
    {
        public long WorkersLost { get; set; }

        public long NodesLost { get; set; }

        public long ShardsLost { get; set; }

        public long Restores { get; set; }

        public long Epochs { get; set; }
    }
}
