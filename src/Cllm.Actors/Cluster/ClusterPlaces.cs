using Akka.Actor;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Who takes part in the run and who owns which shard, as they have announced themselves to its coordinator: nodes are told of it, and those owners bring their
/// slices back to a checkpoint. Used by the coordinator's actor.
/// </summary>
internal sealed class ClusterPlaces
{
    private readonly IActorRef _self;
    private readonly SortedDictionary<int, (NodePlace Place, IActorRef Actor)> _nodes = [];
    private readonly ShardPlace[] _owners;
    private readonly IActorRef[] _shards;
    private long _version;

    /// <param name="run">The process.</param>
    /// <param name="restore">Reads a checkpoint into this process's memory and returns its step.</param>
    /// <param name="self">The coordinator's actor.</param>
    public ClusterPlaces(NodeRun run, Func<long> restore, IActorRef self)
    {
        (_self, _owners, _shards) = (self, new ShardPlace[run.Shards.Length], new IActorRef[run.Shards.Length]);
        Restoring = new(run, restore, shard => _owners[shard].Node is null ? null : _shards[shard], self);
    }

    /// <summary>Brings all slices back to a checkpoint.</summary>
    public StateRestoring Restoring { get; }

    /// <summary>Whether there is something that nodes have not been told.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>Nodes that take part.</summary>
    public int Nodes => _nodes.Count;

    /// <summary>What else is in a directory has changed.</summary>
    public void Change() => IsChanged = true;

    /// <summary>A node takes part.</summary>
    public void Add(NodePlace place, IActorRef actor) => IsChanged |= _nodes.TryAdd(place.Node.Number, (place, actor));

    /// <summary>A shard has said where it is.</summary>
    /// <param name="started">Its announcement.</param>
    /// <param name="shard">Its actor.</param>
    /// <returns>Whether it is there: neither has it gone elsewhere since, nor is its node lost.</returns>
    public bool Locate(ShardStarted started, IActorRef shard)
    {
        var index = started.Shard.Number;
        var (known, at) = (_owners[index], new ShardPlace(started.Node, started.Incarnation));
        if (started.Incarnation.Number < known.Incarnation.Number || !_nodes.ContainsKey(started.Node.Number))
        {
            return false;
        }

        (_owners[index], _shards[index]) = (at, shard);
        IsChanged |= at != known;
        Restoring.Locate(index, isAnother: at != known);
        return true;
    }

    /// <summary>Whether a node owns a shard, as far as is known.</summary>
    public bool Owns(NodeId node, int shard) => _owners[shard].Node == node;

    /// <summary>A node is lost: nobody is sent to where nobody is, and whoever lives announces himself again.</summary>
    /// <returns>What the coordinator's machine is to be fed when nobody else was waited for; none most of the time.</returns>
    public Input? Forget(NodeId node)
    {
        _nodes.Remove(node.Number);
        IsChanged = true;
        for (var shard = 0; shard < _owners.Length; shard++)
        {
            if (Owns(node, shard))
            {
                _owners[shard] = _owners[shard] with { Node = null };
                Restoring.Forget(shard);
            }
        }

        return Restoring.EndIfRestored();
    }

    /// <summary>What nodes are told.</summary>
    public ClusterDirectory Directory(Epoch epoch, CheckpointPlace? checkpoint) =>
        new(epoch, _version, [.. _nodes.Values.Select(node => node.Place)], [.. _owners], checkpoint);

    /// <summary>Tells it to all nodes.</summary>
    public void TellAll(Epoch epoch, CheckpointPlace? checkpoint)
    {
        IsChanged = false;
        _version++;
        var directory = Directory(epoch, checkpoint);
        foreach (var (_, actor) in _nodes.Values)
        {
            actor.Tell(directory, _self);
        }
    }
}
