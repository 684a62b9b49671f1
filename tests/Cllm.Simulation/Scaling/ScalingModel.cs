using Cllm.Actors.Cluster;
using Cllm.Model.Shape;

namespace Cllm.Simulation.Scaling;

/// <summary>
/// The time of a step on so many nodes, from what one node and the network do. docs/scaling.md derives the terms; a test holds the figures there to these
/// formulas, and <see cref="ScalingComparison"/> compares them with simulated runs. Parts are added as if nothing overlapped.
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

    /// <summary>Messages of the coordinator for each shard: order, norm, commit, update.</summary>
    private const int MessagesPerShard = 4;

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

    /// <summary>Shards at most, each at a node of its own while there are so many.</summary>
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
    public int Shards(int nodes) => Math.Min(nodes, ShardsMax);

    /// <summary>
    /// Seconds in which gradients reach their shards, and later weights all nodes. A node with a shard receives P / S floats from each of the others, and later
    /// sends as many. The node that holds the shard's copy gets the summed gradient in place of the weights, so copies take none of the network.
    /// </summary>
    public double Transfer(int nodes) => 2 * SliceBytes(nodes) * (nodes - 1) / NetworkRate;

    /// <summary>Seconds in which a shard's thread adds what came, one sum from each other node and the buffers of its own, keeps the sum, and updates its slice.</summary>
    public double Add(int nodes) => SliceBytes(nodes) * (nodes - 1 + (Leases(nodes) / nodes) + 1 + UpdateFloats) / AddRate;

    /// <summary>Seconds of waiting for answers and for first bytes, and of a shard that hears of each fetch.</summary>
    public double Latency(int nodes) => nodes == 1 ? 0 : (RoundTrips * RoundTrip) + (Fetches * FetchTime) + ((nodes - 1) * MessageTime);

    /// <summary>Seconds of the one coordinator: messages in proportion to workers and shards, and orders that name every source to every shard.</summary>
    public double Control(int nodes) =>
        (((MessagesPerLease * Leases(nodes)) + (MessagesPerShard * Shards(nodes))) * MessageTime) + (Leases(nodes) * Shards(nodes) * SourceTime);

    /// <summary>Seconds of a step.</summary>
    public double Step(int nodes) => Compute(nodes) + Transfer(nodes) + Add(nodes) + Latency(nodes) + Control(nodes);

    /// <summary>How many times as fast as one node, for each node.</summary>
    public double Efficiency(int nodes) => Step(1) / Step(nodes) / nodes;

    /// <summary>Leases of a step: two a worker as long as it has two leaves, so that a last addition is left to the shards.</summary>
    private double Leases(int nodes) => Math.Min(Leaves, 2.0 * nodes * Workers(nodes));

    private double SliceBytes(int nodes) => sizeof(float) * Parameters / Shards(nodes);
}
