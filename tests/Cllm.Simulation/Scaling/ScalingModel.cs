using Cllm.Actors.Cluster;
using Cllm.Model.Shape;

namespace Cllm.Simulation.Scaling;

/// <summary>
/// The time of a step on so many nodes, from what one node and the network do. docs/scaling.md derives the terms; a test holds the figures there to these
/// formulas, and <see cref="ScalingComparison"/> compares them with simulated runs. What overlaps is said where it does.
/// </summary>
public sealed record ScalingModel
{
    /// <summary>Floats of a parameter that AdamW reads and writes: the summed gradient, and weight and both moments twice.</summary>
    public const int UpdateFloats = 7;

    /// <summary>How much faster or slower a worker is than most.</summary>
    public const double WorkerSpread = 0.02;

    /// <summary>How much sooner or later a leaf is done than most of its worker's.</summary>
    public const double LeafSpread = 0.01;

    /// <summary>A step waits for gradient, order, fetch (there and back), norm, commit and weights, one after another: in round trips.</summary>
    private const double RoundTrips = 3.5;

    /// <summary>Fetches that a step waits for: gradients and weights.</summary>
    private const int Fetches = 2;

    /// <summary>Messages of the coordinator for each lease: the lease and its gradient.</summary>
    private const int MessagesPerLease = 2;

    /// <summary>Messages of the coordinator for each shard: norm, commit, update. Orders come beside the gradients, which are asked for ahead.</summary>
    private const int MessagesPerShard = 3;

    /// <summary>The backward pass's part of a leaf.</summary>
    private const double BackwardShare = 2.0 / 3;

    /// <summary>The parameters, and how they are cut into shards.</summary>
    public required ParameterLayout Layout { get; init; }

    /// <summary>P.</summary>
    public double Parameters => Layout.Parameters;

    /// <summary>Floating-point operations of one leaf, forward and backward.</summary>
    public required double LeafOperations { get; init; }

    /// <summary>L.</summary>
    public required int Leaves { get; init; }

    /// <summary>Cores of a node.</summary>
    public required int Cores { get; init; }

    /// <summary>What one core reaches in a whole step, operations a second.</summary>
    public required double CoreRate { get; init; }

    /// <summary>What one thread reads while it adds gradients, bytes a second.</summary>
    public double AddRate { get; init; } = 13e9;

    /// <summary>Network of a node, bytes a second in each direction.</summary>
    public required double NetworkRate { get; init; }

    /// <summary>Seconds there and back.</summary>
    public required double RoundTrip { get; init; }

    /// <summary>Shards of a node, as long as that is not too many in all. With several, a part of the gradient travels while the rest is computed.</summary>
    public int ShardsPerNode { get; init; } = 1;

    /// <summary>Shards at most.</summary>
    public int ShardsMax { get; init; } = ClusterSettings.ShardsMax;

    /// <summary>Seconds of an actor for one message, sent or received.</summary>
    public double MessageTime { get; init; } = 8e-6;

    /// <summary>Seconds of the coordinator for one source within the order to one shard.</summary>
    public double SourceTime { get; init; } = 0.16e-6;

    /// <summary>Seconds from a fetch's request to its first byte, beyond the network's.</summary>
    public double FetchTime { get; init; } = 50e-6;

    /// <summary>Workers of a node: one for each core, and fewer with several cores each where there are not leaves enough.</summary>
    public int Workers(int nodes) => Math.Clamp(Leaves / nodes, 1, Cores);

    /// <summary>Seconds of a leaf; the cores of one worker are taken to share it without loss.</summary>
    public double LeafTime(int nodes) => LeafOperations / (CoreRate * Cores / Workers(nodes));

    /// <summary>Seconds of computing: whole leaves, so the fullest worker decides, and of those the slowest.</summary>
    public double Compute(int nodes) => Math.Ceiling((double)Leaves / (nodes * Workers(nodes))) * LeafTime(nodes) * (1 + WorkerSpread);

    /// <summary>Shards of a run with so many nodes.</summary>
    public int Shards(int nodes) => Math.Min(nodes * ShardsPerNode, ShardsMax);

    /// <summary>
    /// How long before a leaf's end the gradient is final from a number of the vector on, as a share of the leaf: its backward pass comes from the last block down
    /// to the first, behind which only the embeddings are left, which are final last.
    /// </summary>
    public double FinalEarly(int offset) => BackwardShare * Math.Max(0, (double)(offset - Embeddings) / Layout.Length);

    /// <summary>
    /// Seconds in which gradients reach their shards after the last leaf. A node with shards receives P floats in all, less its own. What is final before the end
    /// travels while the backward pass goes on, from when the first of the node's shards is final; the node with most shards of the embeddings has to wait for those.
    /// </summary>
    public double Gradients(int nodes)
    {
        var all = SliceBytes(nodes) * Busiest(nodes) * (nodes - 1) / NetworkRate;
        var last = Math.Min(1, Math.Ceiling(EmbeddingShare * Shards(nodes) / nodes) / Busiest(nodes));
        var beforeEnd = BackwardShare * (1 - EmbeddingShare) * LeafTime(nodes) * (1 - (1.0 / Busiest(nodes)));
        return Math.Max(last * all, all - beforeEnd);
    }

    /// <summary>
    /// Seconds in which weights reach all nodes. The node that holds a shard's copy gets the summed gradient in place of the weights, so copies take none of the network.
    /// </summary>
    public double Weights(int nodes) => SliceBytes(nodes) * Busiest(nodes) * (nodes - 1) / NetworkRate;

    /// <summary>Seconds in which a step waits for the network.</summary>
    public double Transfer(int nodes) => Gradients(nodes) + Weights(nodes);

    /// <summary>Seconds in which a shard's thread adds what came, one sum from each other node and the buffers of its own, keeps the sum, and updates its slice.</summary>
    public double Add(int nodes) => SliceBytes(nodes) * (nodes - 1 + (Leases(nodes) / nodes) + 1 + UpdateFloats) / AddRate;

    /// <summary>Seconds of waiting for answers and for first bytes, and of a shard that hears of each fetch.</summary>
    public double Latency(int nodes) => nodes == 1 ? 0 : (RoundTrips * RoundTrip) + (Fetches * FetchTime) + ((nodes - 1) * MessageTime);

    /// <summary>
    /// Seconds of the one coordinator: messages in proportion to workers and shards, and orders that name every source to every shard, as far as they take longer than
    /// the gradients.
    /// </summary>
    public double Control(int nodes)
    {
        var orders = Shards(nodes) * (MessageTime + (Leases(nodes) * SourceTime));
        return (((MessagesPerLease * Leases(nodes)) + (MessagesPerShard * Shards(nodes))) * MessageTime) + Math.Max(0, orders - Gradients(nodes));
    }

    /// <summary>Seconds of a step.</summary>
    public double Step(int nodes) => Compute(nodes) + Transfer(nodes) + Add(nodes) + Latency(nodes) + Control(nodes);

    /// <summary>How many times as fast as one node, for each node.</summary>
    public double Efficiency(int nodes) => Step(1) / Step(nodes) / nodes;

    /// <summary>Leases of a step: two a worker as long as it has two leaves, so that a last addition is left to the shards.</summary>
    private double Leases(int nodes) => Math.Min(Leaves, 2.0 * nodes * Workers(nodes));

    private double SliceBytes(int nodes) => sizeof(float) * Parameters / Shards(nodes);

    /// <summary>Shards of the node with most of them.</summary>
    private int Busiest(int nodes) => (int)Math.Ceiling((double)Shards(nodes) / nodes);

    private int Embeddings => Layout["h.0.ln_1.weight"].Offset;

    private double EmbeddingShare => (double)Embeddings / Layout.Length;
}
