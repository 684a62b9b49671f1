using Cllm.Actors.Channel;
using Cllm.Protocol;
using Cllm.Simulation.Arithmetic;
using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Faults;

/// <summary>Everything that a seed decides before the first event: the cluster, the run, and which faults it meets how often (swarm testing).</summary>
internal sealed record Scenario
{
    /// <summary>Virtual ticks of a second.</summary>
    public const long Second = 10_000_000;

    /// <summary>Number of kinds of fault.</summary>
    public static readonly int Kinds = Enum.GetValues<FaultKind>().Length;

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Nodes of the cluster.</summary>
    public required int Nodes { get; init; }

    /// <summary>Workers of each node at the beginning.</summary>
    public required int WorkersPerNode { get; init; }

    /// <summary>Shards of the run.</summary>
    public required int Shards { get; init; }

    /// <summary>Leaves of a step.</summary>
    public required int Leaves { get; init; }

    /// <summary>Steps of the run.</summary>
    public required long Steps { get; init; }

    /// <summary>Steps between checkpoints.</summary>
    public required long CheckpointEvery { get; init; }

    /// <summary>Units of an evaluation.</summary>
    public required int EvaluationUnits { get; init; }

    /// <summary>Steps between evaluations.</summary>
    public required long EvaluateEvery { get; init; }

    /// <summary>The coordinator's patience.</summary>
    public required long PatienceTicks { get; init; }

    /// <summary>How often a worker or shard may fail between two steps.</summary>
    public required int FailuresMax { get; init; }

    /// <summary>Time to compute one leaf.</summary>
    public required long LeafTicks { get; init; }

    /// <summary>Time to add a step's gradients, or to update, about.</summary>
    public required long ReduceTicks { get; init; }

    /// <summary>Time of a message between two nodes, at most.</summary>
    public required long LinkTicksMax { get; init; }

    /// <summary>Bytes that arrive together over the tensor channel, at most.</summary>
    public required int ChunkBytesMax { get; init; }

    /// <summary>Whether a process that was struck off by mistake has to start again, or may come back as it is.</summary>
    public required bool IsQuarantined { get; init; }

    /// <summary>Whether a successor has to learn from the shards where the run stands.</summary>
    public required bool IsStepLearned { get; init; }

    /// <summary>Nodes without which no step begins.</summary>
    public required int NodesMin { get; init; }

    /// <summary>Workers that the coordinator knows at one time.</summary>
    public required int WorkersMax { get; init; }

    /// <summary>When the faults end, at the latest.</summary>
    public required long HealAtTicks { get; init; }

    /// <summary>The step at which the faults end, at the latest.</summary>
    public required long HealAtStep { get; init; }

    /// <summary>Chances: of a message, of a piece of work, of a checkpoint, or per second and node, as the kind has it; 0 where the kind is off.</summary>
    public required double[] Rates { get; init; }

    /// <summary>
    /// Whether each node has a disk of its own, as in a cluster of the program: who comes to coordinate finds what it copied or what is left from an earlier life, and
    /// nothing but the membership stops one that has a successor.
    /// </summary>
    public required bool HasOwnDisks { get; init; }

    /// <summary>
    /// Whether the harsh kinds of fault are left out, and what was modelled since: that a coordinator's actor that fails leaves its checkpoint to be written, and that
    /// nobody takes its place before it has persisted anything.
    /// </summary>
    public required bool IsMild { get; init; }

    /// <summary>Nodes that may have the coordinator, the first ones. When none of them is there the run is over, and its operator starts it again.</summary>
    public required int NodesToCoordinate { get; init; }

    /// <summary>Whether the arithmetic is a real model's.</summary>
    public bool IsRealModel { get; init; }

    /// <summary>The fault planted in the program.</summary>
    public PlantedFault Plant { get; init; }

    /// <summary>How often a kind of fault happens.</summary>
    public double Rate(FaultKind kind) => Rates[(int)kind];

    /// <summary>Draws a scenario.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="isRealModel">Whether the arithmetic is a real model's.</param>
    /// <param name="nodes">Number of nodes; none to draw it.</param>
    /// <param name="workers">Workers of each node; none to draw it.</param>
    /// <param name="isMild">Whether the harsh kinds of fault are left out: a seed is then what it was before there were any.</param>
    public static Scenario Draw(ulong seed, bool isRealModel, int? nodes, int? workers, bool isMild = false)
    {
        var dice = new Dice(seed * 0x2545F4914F6CDD1D);
        var leaves = isRealModel ? TinyModel.Leaves : 1 + dice.Below(40);
        var steps = isRealModel ? TinyModel.Steps : dice.Between(5, 40);
        var nodeCount = nodes ?? 1 + dice.Below(6);
        var workerCount = workers ?? 1 + dice.Below(4);
        var later = new Dice(~seed * 0x9E3779B97F4A7C15);
        var harsh = isMild ? null : new Dice(~seed * 0xD1342543DE82EF95);
        var isStepLearned = later.Chance(0.5);
        var leafScale = Scale(harsh);
        return new()
        {
            Seed = seed,
            IsRealModel = isRealModel,
            Nodes = nodeCount,
            WorkersPerNode = workerCount,
            Shards = isRealModel ? 1 + dice.Below(2) : 1 + dice.Below(8),
            Leaves = leaves,
            Steps = steps,
            CheckpointEvery = dice.Between(0, 8),
            EvaluationUnits = isRealModel ? 2 : dice.Below(6),
            EvaluateEvery = dice.Between(0, 6),
            PatienceTicks = dice.Between(1, 30) * Second,
            FailuresMax = dice.Chance(0.5) ? 3 : int.MaxValue,
            IsQuarantined = dice.Chance(0.5),
            IsStepLearned = isStepLearned,
            NodesMin = nodeCount > 1 && later.Chance(0.3) ? 1 + later.Below(nodeCount) : 0,

            // Of a single process nobody announces himself twice, so nobody who found no room would come in when others have left.
            WorkersMax = nodeCount > 1 && later.Chance(0.3) ? (nodeCount * workerCount) + 1 : 4096,
            LeafTicks = dice.Between(Second / 20, Second) / leafScale,
            ReduceTicks = Second / 100 / Scale(harsh),
            LinkTicksMax = Second / 500 * Scale(harsh),
            ChunkBytesMax = harsh?.Chance(0.5) == true ? (isRealModel ? 4096 : sizeof(float)) : TensorChunk.BytesMax,
            HealAtTicks = dice.Between(20, 400) * Second,
            HealAtStep = dice.Between(steps / 2, steps - 1),
            HasOwnDisks = nodeCount > 1 && isStepLearned && harsh?.Chance(0.7) == true,
            IsMild = isMild,
            NodesToCoordinate = harsh?.Chance(0.3) == true ? 1 + harsh.Below(nodeCount) : nodeCount,
            Rates = DrawRates(dice, harsh),
        };
    }

    /// <summary>How many times another speed than the usual one; harsh clusters may be of a tiny model, or of links around the world.</summary>
    private static int Scale(Dice? harsh) => harsh is null ? 1 : harsh.Below(4) switch
    {
        0 => 10,
        1 => 100,
        _ => 1,
    };

    /// <param name="dice">Chance of the first kinds.</param>
    /// <param name="harsh">Chance of the harsh ones; none when there are none.</param>
    private static double[] DrawRates(Dice dice, Dice? harsh)
    {
        var rates = new double[Kinds];
        if (dice.Chance(0.03))
        {
            return rates;
        }

        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            var chance = kind < FaultKind.ClockJump ? dice : harsh;
            if (chance?.Chance(kind < FaultKind.ClockJump ? 0.4 : 0.25) == true)
            {
                rates[(int)kind] = RateMax(kind) * chance.Between(1, 100) / 100;
            }
        }

        return rates;
    }

    private static double RateMax(FaultKind kind) => kind switch
    {
        FaultKind.Loss or FaultKind.Duplication or FaultKind.Delay => 0.15,
        FaultKind.CrashAmidWrite or FaultKind.DiskFull => 0.5,
        FaultKind.CheckpointDamage => 0.02,
        FaultKind.ActorFailure => 0.02,
        FaultKind.Partition or FaultKind.OneWayPartition => 0.01,
        FaultKind.PowerLoss or FaultKind.Stop => 0.008,
        FaultKind.Drift => 1,
        FaultKind.Stranger or FaultKind.BrokenTransfer => 0.5,
        FaultKind.SlowTransfer => 0.05,
        FaultKind.LongPause or FaultKind.MassCrash => 0.005,
        FaultKind.Hang => 0.002,
        FaultKind.CrashAtTurn => 0.2,
        FaultKind.Disconnect or FaultKind.Flicker => 0.05,
        FaultKind.SilentPeer => 1,
        FaultKind.ReadFailure => 0.1,
        FaultKind.SlowDisk => 0.5,
        FaultKind.FailureAmidEffects => 0.004,
        _ => 0.02,
    };
}
