using Cllm.Protocol.Identity;

namespace Cllm.Protocol;

/// <summary>Which kind of machine a message goes to.</summary>
public enum DestinationKind
{
    /// <summary>The run's coordinator.</summary>
    Coordinator,

    /// <summary>One worker.</summary>
    Worker,

    /// <summary>One shard.</summary>
    Shard,

    /// <summary>Every worker that takes part.</summary>
    EveryWorker,

    /// <summary>Every shard.</summary>
    EveryShard,

    /// <summary>One node.</summary>
    Node,

    /// <summary>Every node, whether it takes part or not.</summary>
    EveryNode,
}

/// <summary>Who gets a message.</summary>
/// <param name="Kind">The kind of machine.</param>
/// <param name="Index">Number of the worker, shard or node; 0 for the other kinds.</param>
public readonly record struct Destination(DestinationKind Kind, int Index)
{
    /// <summary>The run's coordinator.</summary>
    public static Destination Coordinator => new(DestinationKind.Coordinator, 0);

    /// <summary>Every worker that takes part.</summary>
    public static Destination EveryWorker => new(DestinationKind.EveryWorker, 0);

    /// <summary>Every shard.</summary>
    public static Destination EveryShard => new(DestinationKind.EveryShard, 0);

    /// <summary>Every node, whether it takes part or not.</summary>
    public static Destination EveryNode => new(DestinationKind.EveryNode, 0);

    /// <summary>One node.</summary>
    public static Destination Of(NodeId node) => new(DestinationKind.Node, node.Number);

    /// <summary>One worker.</summary>
    public static Destination Of(WorkerId worker) => new(DestinationKind.Worker, worker.Number);

    /// <summary>One shard.</summary>
    public static Destination Of(ShardIndex shard) => new(DestinationKind.Shard, shard.Number);

    /// <summary>As in <c>worker:3</c> or <c>coordinator</c>.</summary>
    public override string ToString() => Kind switch
    {
        DestinationKind.Worker => $"worker:{Index}",
        DestinationKind.Shard => $"shard:{Index}",
        DestinationKind.Node => $"node:{Index}",
        DestinationKind.EveryNode => "nodes",
        DestinationKind.EveryWorker => "workers",
        DestinationKind.EveryShard => "shards",
        _ => "coordinator",
    };
}
