using Akka.Actor;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Nodes;

namespace Cllm.Actors.Cluster;

/// <summary>
/// The shards of this process: their actors are started when they are given to it and stopped when another process has them, and what is heard of slices goes to
/// them and to what fetches slices. Used by the node's actor.
/// </summary>
internal sealed class NodeShards : IDisposable
{
    private readonly NodeRun _run;
    private readonly IActorRef _self;
    private readonly Func<StartShard, IActorRef> _start;
    private readonly Action<IActorRef> _stop;
    private readonly SliceFetches _slices;

    /// <summary>The actors that run here, or have yet to stop.</summary>
    private readonly IActorRef?[] _actors;

    /// <summary>Shards that were given to this node and start as soon as nothing is in their way.</summary>
    private readonly StartShard?[] _starting;

    /// <summary>The newest incarnation of each shard that was given to this node, or that another one is known to have.</summary>
    private readonly long[] _newest;

    /// <param name="run">The process.</param>
    /// <param name="self">The node's actor.</param>
    /// <param name="start">Starts a shard's actor, which is the first to change the incarnation in its slot. The node's actor is told when it has stopped.</param>
    /// <param name="stop">Has an actor stop when it is not at work any more; told twice, it stops once.</param>
    public NodeShards(NodeRun run, IActorRef self, Func<StartShard, IActorRef> start, Action<IActorRef> stop)
    {
        (_run, _self, _start, _stop) = (run, self, start, stop);
        _slices = new(run, self);
        (_actors, _starting, _newest) = (new IActorRef?[run.Shards.Length], new StartShard?[run.Shards.Length], new long[run.Shards.Length]);
    }

    /// <summary>The copies of others' slices that are whole here.</summary>
    public IEnumerable<ReplicaHeld> Copies
    {
        get
        {
            for (var shard = 0; shard < _actors.Length; shard++)
            {
                if (_slices.CopyOf(shard) is { } step)
                {
                    yield return new(new(shard), step, _run.Node);
                }
            }
        }
    }

    /// <summary>A shard was given to this node.</summary>
    public void TakeOn(StartShard start)
    {
        var shard = start.Shard.Number;
        if (start.Incarnation.Number > NewestOf(shard))
        {
            (_newest[shard], _starting[shard]) = (start.Incarnation.Number, start);
            StartWhatCan();
        }
    }

    /// <summary>Another node owns a shard: what is here of it is not looked after any more.</summary>
    public void GiveUp(ShardIndex index, Incarnation elsewhere)
    {
        var shard = index.Number;
        if (elsewhere.Number <= NewestOf(shard))
        {
            return;
        }

        (_newest[shard], _starting[shard]) = (elsewhere.Number, null);
        if (_actors[shard] is { } actor)
        {
            _stop(actor);
        }
        else if (_run.IsOwnedHere(shard))
        {
            _run.GiveAway(shard);
        }
    }

    /// <summary>Tells something to all that run here.</summary>
    public void TellAll(object message)
    {
        foreach (var actor in _actors)
        {
            actor?.Tell(message, _self);
        }
    }

    /// <summary>Takes what the node's actor is told of shards and slices.</summary>
    /// <param name="message">What.</param>
    /// <param name="sender">By whom.</param>
    /// <returns>Whether it was that.</returns>
    public bool Take(object message, IActorRef sender)
    {
        switch (message)
        {
            case ClusterDirectory directory:
                Take(directory);
                return true;
            case SliceFetchEnded ended:
                _slices.Take(ended);
                StartWhatCan();
                _slices.SayIfHeld();
                return true;
            case Terminated gone:
                return Take(gone);
            default:
                return _slices.Take(message, sender);
        }
    }

    public void Dispose() => _slices.Dispose();

    private long NewestOf(int shard) => Math.Max(_newest[shard], _run.Shards[shard].Incarnation);

    /// <summary>Starts shards that nothing is in the way of: no actor under an earlier incarnation, and no fetch that writes to the slice.</summary>
    private void StartWhatCan()
    {
        for (var shard = 0; shard < _starting.Length; shard++)
        {
            if (_starting[shard] is not { } start)
            {
                continue;
            }

            if (_actors[shard] is { } old)
            {
                _stop(old);
                continue;
            }

            _run.OwnHere(shard);
            if (_slices.IsStill(shard))
            {
                _starting[shard] = null;
                _run.Shards[shard].Incarnation = start.Incarnation.Number - 1;
                _run.ChooseSlice(shard);
                _actors[shard] = _start(start);
            }
        }
    }

    private void Take(ClusterDirectory directory)
    {
        var known = _run.Directory;
        if (directory.Epoch.Number >= known.Epoch.Number)
        {
            // Also of one that is known: it makes up for a copy that broke off.
            _run.Follower?.Follow(directory.Checkpoint);
        }

        if (directory.Epoch.Number < known.Epoch.Number || (directory.Epoch == known.Epoch && directory.Version <= known.Version))
        {
            return;
        }

        _run.Directory = directory;
        _run.Follow(directory.Epoch);
        TellAll(new DirectoryChanged());
        for (var shard = 0; shard < directory.Owners.Length; shard++)
        {
            if (directory.Owners[shard] is { Node: { } owner } place && owner != _run.Node)
            {
                // Given to another node while this one was taken for lost.
                GiveUp(new(shard), place.Incarnation);
            }
        }

        _slices.FollowDirectory();
    }

    /// <returns>Whether it was a shard's actor.</returns>
    private bool Take(Terminated gone)
    {
        var shard = Array.IndexOf(_actors, gone.ActorRef);
        if (shard < 0)
        {
            return false;
        }

        _actors[shard] = null;
        if (_starting[shard] is null)
        {
            _run.GiveAway(shard);
        }

        StartWhatCan();
        _slices.AdvanceAll();
        return true;
    }
}
