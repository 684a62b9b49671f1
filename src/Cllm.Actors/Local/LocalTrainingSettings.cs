using Akka.Configuration;
using Cllm.Actors.Inspection;

namespace Cllm.Actors.Local;

/// <summary>What a run in one process is made with. Neither workers nor shards change a bit of its result.</summary>
public sealed record LocalTrainingSettings
{
    /// <summary>L, leaves of each step.</summary>
    public required int Leaves { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Worker actors, each with a thread of its own.</summary>
    public required int Workers { get; init; }

    /// <summary>Shard actors wanted; the host says how many there are.</summary>
    public required int Shards { get; init; }

    /// <summary>Updates already made: 0, or those of the checkpoint that the host has loaded.</summary>
    public long FirstStep { get; init; }

    /// <summary>Steps between evaluations; 0 is none. One more comes at the end.</summary>
    public long EvaluateEvery { get; init; }

    /// <summary>Steps between checkpoints; 0 is only at the end and on a stop.</summary>
    public long CheckpointEvery { get; init; }

    /// <summary>The run's name, for whoever inspects it.</summary>
    public string Name { get; init; } = "";

    /// <summary>Tokens of a step's global batch, for whoever inspects it.</summary>
    public long StepTokens { get; init; }

    /// <summary>Attached to the run while it lives; none when nobody inspects it.</summary>
    public RunControl? Control { get; init; }

    /// <summary>The configuration of the actor system; none for the program's own.</summary>
    public Config? Hocon { get; init; }
}
