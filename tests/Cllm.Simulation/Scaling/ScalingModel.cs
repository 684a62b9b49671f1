namespace Cllm.Simulation.Scaling;

/// <summary>
/// The time of a step on so many nodes, from what one node and the network do. docs/scaling.md derives the terms; a test holds the figures there to these
/// formulas. Parts are added as if nothing overlapped, so it errs on the slow side.
/// </summary>
public sealed record ScalingModel
{
    private const int FloatBytes = sizeof(float);

    /// <summary>AdamW reads gradient, weight and both moments and writes three of them; seven floats a parameter.</summary>
    private const int UpdateFloats = 7;

    /// <summary>A step waits for lease, gradient, order, fetch (there and back), norm, commit and update, one after another: in round trips.</summary>
    private const double RoundTrips = 4;

    /// <summary>Messages of the coordinator for each lease: the lease and its gradient.</summary>
    private const int MessagesPerLease = 2;

    /// <summary>Messages of the coordinator for each shard: order, norm, commit, update.</summary>
    private const int MessagesPerShard = 4;

    /// <summary>P.</summary>
    public required double Parameters { get; init; }

    /// <summary>Floating-point operations of one leaf, forward and backward.</summary>
    public required double LeafOperations { get; init; }

    /// <summary>L.</summary>
    public required int Leaves { get; init; }

    /// <summary>Cores of a node.</summary>
    public required int Cores { get; init; }

    /// <summary>What one core reaches in a whole step, operations a second.</summary>
    public required double CoreRate { get; init; }

    /// <summary>Memory of a node, bytes a second.</summary>
    public required double MemoryRate { get; init; }

    /// <summary>Network of a node, bytes a second in each direction.</summary>
    public required double NetworkRate { get; init; }

    /// <summary>Seconds there and back.</summary>
    public required double RoundTrip { get; init; }

    /// <summary>Shards at most, each at a node of its own while there are so many.</summary>
    public int ShardsMax { get; init; } = 60;

    /// <summary>Seconds of the coordinator for one message, sent or received.</summary>
    public double MessageTime { get; init; } = 8e-6;

    /// <summary>Seconds of the coordinator for one source within the order to one shard.</summary>
    public double SourceTime { get; init; } = 0.3e-6;

    /// <summary>Seconds of a node for one fetch, beyond its bytes.</summary>
    public double FetchTime { get; init; } = 50e-6;

    /// <summary>Workers of a node: one for each core, and fewer with several cores each where there are not leaves enough.</summary>
    public int Workers(int nodes) => Math.Clamp(Leaves / nodes, 1, Cores);

    /// <summary>Seconds of computing: whole leaves, so the fullest worker decides; the cores of one worker are taken to share a leaf without loss.</summary>
    public double Compute(int nodes) =>
        Math.Ceiling((double)Leaves / (nodes * Workers(nodes))) * LeafOperations / (CoreRate * Cores / Workers(nodes));

    /// <summary>Shards of a run with so many nodes.</summary>
    public int Shards(int nodes) => Math.Min(nodes, ShardsMax);

    /// <summary>
    /// Seconds in which gradients reach their shards, and later weights all nodes. A node with a shard receives P / S floats from each of the others, and later
    /// sends as many; as long as every node has one, that is less than P floats each way and each time.
    /// </summary>
    public double Transfer(int nodes) => 2 * Parameters * FloatBytes * (nodes - 1) / Shards(nodes) / NetworkRate;

    /// <summary>
    /// Seconds of memory: a worker's leaves are added into one sum, the node's sums into one for each shard, and a shard adds what came twice (for the norm, and
    /// again with the update) and updates its part.
    /// </summary>
    public double Memory(int nodes) => Parameters * FloatBytes * (Workers(nodes) + 2 + ((double)UpdateFloats / Shards(nodes))) / MemoryRate;

    /// <summary>Seconds of waiting for answers, and of a fetch of gradients from each other node and of weights from each shard.</summary>
    public double Latency(int nodes) => nodes == 1 ? 0 : (RoundTrips * RoundTrip) + ((nodes - 1 + Shards(nodes)) * FetchTime);

    /// <summary>Seconds of the one coordinator: messages in proportion to workers and shards, and orders that name every source to every shard.</summary>
    public double Control(int nodes)
    {
        double leases = Math.Min(Leaves, 2.0 * nodes * Workers(nodes));
        return (((MessagesPerLease * leases) + (MessagesPerShard * Shards(nodes))) * MessageTime) + (leases * Shards(nodes) * SourceTime);
    }

    /// <summary>Seconds of a step.</summary>
    public double Step(int nodes) => Compute(nodes) + Transfer(nodes) + Memory(nodes) + Latency(nodes) + Control(nodes);

    /// <summary>How many times as fast as one node, for each node.</summary>
    public double Efficiency(int nodes) => Step(1) / Step(nodes) / nodes;
}
