using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Coordination;

/// <summary>What a coordinator is made with.</summary>
public sealed record CoordinatorSettings
{
    /// <summary>L, leaves of each step, at least 1.</summary>
    public required int Leaves { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Number of shards, at least 1.</summary>
    public required int Shards { get; init; }

    /// <summary>Workers that have to be there before the first step, at least 1.</summary>
    public required int WorkersToStart { get; init; }

    /// <summary>Nodes that have to be there before shards are given out and the first step begins; 0 where no node joins.</summary>
    public int NodesToStart { get; init; }

    /// <summary>Nodes without which no further step begins: with fewer, the run waits at the next step boundary until enough have joined. 0 never waits.</summary>
    public int NodesMin { get; init; }

    /// <summary>The step that the run's state stands at: 0, or that of the checkpoint it goes on from.</summary>
    public Step FirstStep { get; init; }

    /// <summary>The epoch in which this coordinator begins: above all of the coordinators before it. In a cluster <see cref="Epoch.FirstOf"/> has it.</summary>
    public Epoch FirstEpoch { get; init; } = new(1);

    /// <summary>Whether it succeeds another coordinator, whose shards and workers may be there yet.</summary>
    public bool IsSuccessor { get; init; }

    /// <summary>
    /// Whether a successor does not know where its predecessor was, for what that one persisted was lost with it: the run goes on at the furthest step at which a
    /// slice stands, and <see cref="FirstStep"/> is only the newest checkpoint that this host can read.
    /// </summary>
    public bool IsStepLearned { get; init; }

    /// <summary>The newest step whose state is in a checkpoint; none means <see cref="FirstStep"/>. Another one where a coordinator succeeds one that was lost.</summary>
    public Step? LastCheckpoint { get; init; }

    /// <summary>What nodes must agree with to be admitted; none admits every node, and workers and shards of nodes that never asked.</summary>
    public RunIdentity? Run { get; init; }

    /// <summary>Units of held-out data; 0 is no evaluation.</summary>
    public int EvaluationUnits { get; init; }

    /// <summary>Steps between evaluations; 0 is none. One more comes at the run's end.</summary>
    public long EvaluateEvery { get; init; }

    /// <summary>Steps between checkpoints; 0 is only at the end and on a stop.</summary>
    public long CheckpointEvery { get; init; }

    /// <summary>
    /// Nodes of the reduction tree that a worker's share is cut into at least; with 2, a last addition is left to the shards.
    /// </summary>
    public int NodesPerWorkerMin { get; init; } = 2;

    /// <summary>Whether shards are told, when a step's leaves are leased, where its gradients will be: it helps where they have to fetch them.</summary>
    public bool AreGradientsFetched { get; init; }

    /// <summary>How often one worker or shard may fail before the run's next new step; one more ends the run.</summary>
    public int FailuresMax { get; init; } = 3;

    /// <summary>Leases given in one step or evaluation at most, those given again included; more end the run.</summary>
    public int LeasesPerStepMax { get; init; } = 65536;

    /// <summary>
    /// Workers that are known at one time; more are not taken in. One that is gone and holds nothing is forgotten when its place is needed, and taken in anew if it
    /// comes back.
    /// </summary>
    public int WorkersMax { get; init; } = 4096;

    /// <summary>Nodes that may take part at one time; more are refused.</summary>
    public int NodesMax { get; init; } = 4096;

    /// <summary>How long a coordinator that succeeds another waits for shards to announce themselves before it has them started on other nodes.</summary>
    public long SettleTicks { get; init; } = 10 * 10_000_000L;

    /// <summary>How often in a row orders are sent again without any answer, before those who do not answer are taken for lost.</summary>
    public int RetriesMax { get; init; } = 8;

    /// <summary>
    /// A lease is late no sooner than this after it was begun, however short leases usually are: below it, a second lease costs more than it saves. In units of
    /// 100 nanoseconds.
    /// </summary>
    public long LateTicksMin { get; init; } = 10_000_000L;

    /// <summary>Times per leaf that are remembered, of each worker and of all: median and spread come from the last so many.</summary>
    public int TimesMax { get; init; } = 32;

    /// <summary>Times per leaf without which there is no median; until then a lease is late after <see cref="PatienceTicks"/>, which is the most it ever has.</summary>
    public int TimesMin { get; init; } = 8;

    /// <summary>Steps that a worker who owes an answer is passed over at most, twice as many each time; any sign of it ends that.</summary>
    public int StepsPassedOverMax { get; init; } = 64;

    /// <summary>Without an answer for this long, orders are sent again; twice as long each time. In units of 100 nanoseconds.</summary>
    public long PatienceTicks { get; init; } = 30 * 10_000_000L;
}
