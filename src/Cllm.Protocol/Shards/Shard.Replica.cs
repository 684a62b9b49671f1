using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Shards;

/// <content>A copy of the slice on another node, and the slice put back to a checkpoint.</content>
public sealed partial class Shard
{
    /// <summary>The node that holds the copy; none when nobody does.</summary>
    private NodeId? _replica;

    /// <summary>The step of the copy; none when there is none to rely on.</summary>
    private Step? _sent;

    /// <summary>The copy under way. The slice does not change meanwhile.</summary>
    private SendSlice? _sending;

    private DropReason TakeReplica(ReplicaAssigned assigned)
    {
        if (assigned.Incarnation != _settings.Incarnation)
        {
            return DropReason.OtherIncarnation;
        }

        var reason = Fence.Follow(assigned.Epoch);
        if (reason != DropReason.None)
        {
            return reason;
        }

        if (_replica != assigned.Replica)
        {
            (_replica, _sent) = (assigned.Replica, null);
        }

        TellReplica();
        SendIfBehind();
        return DropReason.None;
    }

    /// <summary>Sends the slice if it is whole, the copy is older, and none is under way.</summary>
    private void SendIfBehind()
    {
        if (_replica is { } replica && _sending is null && _slice is { } slice && _sent != slice)
        {
            _sending = new(slice, replica);
            _effects.Add(_sending);
        }
    }

    private DropReason TakeSent(SliceSent sent)
    {
        Invariant.Holds(_sending is not null && _sending.Step == sent.Step && _sending.Replica == sent.Replica, $"shard {_settings.Shard} sends one slice at a time");
        _sending = null;
        if (sent.Replica == _replica && sent.Step == _slice)
        {
            _sent = sent.Failure is null ? sent.Step : null;
            TellReplica();
        }

        if (_commit is { } commit)
        {
            Update(commit);
        }
        else if (sent.Failure is null || sent.Step != _slice)
        {
            SendIfBehind();
        }

        return DropReason.None;
    }

    private void TellReplica()
    {
        if (_sent is { } step)
        {
            Tell(new ReplicaUpdated(step, _settings.Shard, _settings.Incarnation, _replica!.Value));
        }
    }

    private DropReason TakeRestored(SliceRestored restored)
    {
        Invariant.Holds(Phase != ShardPhase.Updating, $"shard {_settings.Shard} is not restored while it updates");
        (_slice, _commit, _sent) = (restored.Step, null, null);
        var reason = Fence.Follow(restored.Epoch);
        SendIfBehind();
        return reason;
    }
}
