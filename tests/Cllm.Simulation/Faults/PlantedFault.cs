namespace Cllm.Simulation.Faults;

/// <summary>A fault put into the program on purpose, to see that the checkers find it. Each is a branch of the simulator, none of the program.</summary>
internal enum PlantedFault
{
    /// <summary>The program as it is.</summary>
    None,

    /// <summary>A worker adds one leaf a second time, once in a hundred nodes.</summary>
    LeafCountedTwice,

    /// <summary>A shard's answer of an epoch that is over is taken as one of the present epoch.</summary>
    StaleAnswerAccepted,

    /// <summary>A deadline is never armed.</summary>
    DeadlineNeverArmed,

    /// <summary>A checkpoint holds the state of the step before the one it names.</summary>
    SnapshotOneStepOld,

    /// <summary>The coordinator hears that all shards have reduced when the first one has.</summary>
    CommitBeforeAllReduced,

    /// <summary>A worker keeps its buffers when it is told to release them.</summary>
    BuffersNotReturned,

    /// <summary>A successor begins in the epoch in which its predecessor began, and nobody sees that it was persisted.</summary>
    EpochReused,

    /// <summary>A checkpoint gets its name before its bytes are flushed.</summary>
    RenamedBeforeFlush,

    /// <summary>A shard that broke off amid its update says that it is through.</summary>
    HalfUpdateDeclaredWhole,

    /// <summary>A shard that is ordered to update, updates again when the order comes again.</summary>
    UpdateAppliedTwice,

    /// <summary>Going back to a checkpoint leaves one shard where it is.</summary>
    RestoreSkipsShard,

    /// <summary>The copy of a slice on another node is that of the step before the one it names.</summary>
    ReplicaOneStepOld,

    /// <summary>A copy takes an update a second time, once in a hundred.</summary>
    CopyUpdatedTwice,

    /// <summary>A worker says that its sum is final when it begins to compute it.</summary>
    GradientSentBeforeFinal,

    /// <summary>A worker that failed starts again under the incarnation it had.</summary>
    IncarnationReused,
}
