using Akka.Configuration;
using Cllm.Actors.Channel;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>What a process takes part in a run with. Neither nodes nor workers nor shards change a bit of its result.</summary>
public sealed record ClusterSettings
{
    /// <summary>Shards at most: each takes lanes of its own to every node, with a thread at each end.</summary>
    public const int ShardsMax = 512;

    /// <summary>What the run is: a process with another one is refused.</summary>
    public required RunIdentity Run { get; init; }

    /// <summary>L, leaves of each step.</summary>
    public required int Leaves { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Worker actors of this process, each with a thread of its own; at most <see cref="NodeNumbers.WorkersMax"/>.</summary>
    public required int Workers { get; init; }

    /// <summary>Shards wanted, the same in every process of the run, at most <see cref="ShardsMax"/>; the host says how many there are.</summary>
    public required int Shards { get; init; }

    /// <summary>This process's number.</summary>
    public NodeId Node { get; init; } = NodeNumbers.Draw();

    /// <summary>Workers of all nodes that have to be there before the first step.</summary>
    public int WorkersToStart { get; init; } = 1;

    /// <summary>Nodes that have to be there before the first step.</summary>
    public int NodesToStart { get; init; }

    /// <summary>Nodes without which no further step begins; 0 never waits.</summary>
    public int NodesMin { get; init; }

    /// <summary>Updates already made, as the host of the process that begins the run has loaded them: 0, or those of a checkpoint.</summary>
    public long FirstStep { get; init; }

    /// <summary>Steps between evaluations; 0 is none. One more comes at the end.</summary>
    public long EvaluateEvery { get; init; }

    /// <summary>Steps between checkpoints; 0 is only at the end and on a stop.</summary>
    public long CheckpointEvery { get; init; }

    /// <summary>The run's name, for whoever inspects it.</summary>
    public string Name { get; init; } = "";

    /// <summary>Tokens of a step's global batch, for whoever inspects it.</summary>
    public long StepTokens { get; init; }

    /// <summary>What this process's end of the tensor channel counts.</summary>
    public ChannelCounters Traffic { get; } = new();

    /// <summary>The actor configuration, with the limits in its cllm section.</summary>
    public required Config Hocon { get; init; }

    /// <summary>What else the process's channel gives out: the run's blobs. None when it has none.</summary>
    public ITensorStore? Blobs { get; init; }
}

/// <summary>A process's end of the tensor channel.</summary>
/// <param name="Address">Where others fetch from it.</param>
/// <param name="Transport">How it fetches from others.</param>
/// <param name="Server">What listens; disposed when the process takes part no longer.</param>
public sealed record NodeChannel(ChannelAddress Address, ITensorTransport Transport, IDisposable Server);
