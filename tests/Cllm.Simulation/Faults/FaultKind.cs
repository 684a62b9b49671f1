namespace Cllm.Simulation.Faults;

/// <summary>What can go wrong in a simulated cluster.</summary>
internal enum FaultKind
{
    /// <summary>A message is lost.</summary>
    Loss,

    /// <summary>A message arrives twice.</summary>
    Duplication,

    /// <summary>A message is overtaken by seconds' worth of others.</summary>
    Delay,

    /// <summary>Some nodes cannot reach the others, nor be reached.</summary>
    Partition,

    /// <summary>Messages pass between two nodes in one direction only.</summary>
    OneWayPartition,

    /// <summary>A node's process dies and starts again later.</summary>
    Crash,

    /// <summary>A node's process dies between two effects of one input.</summary>
    CrashAmidEffects,

    /// <summary>A node's process stands still, for up to longer than every deadline.</summary>
    Pause,

    /// <summary>A node is many times slower for a while.</summary>
    Slowness,

    /// <summary>An actor's work throws, and supervision starts the actor again.</summary>
    ActorFailure,

    /// <summary>Everything goes dark at once; what was not flushed may be lost or torn.</summary>
    PowerLoss,

    /// <summary>The process that writes a checkpoint dies between two operations on files, with or without the power.</summary>
    CrashAmidWrite,

    /// <summary>The disk is full when a checkpoint is written.</summary>
    DiskFull,

    /// <summary>A file of the newest checkpoint is cut or changed.</summary>
    CheckpointDamage,

    /// <summary>A worker joins.</summary>
    Join,

    /// <summary>A worker asks to leave.</summary>
    Leave,

    /// <summary>The run is asked to stop, and started again with other workers.</summary>
    Stop,

    /// <summary>The clocks of the nodes run at different speeds.</summary>
    Drift,

    /// <summary>A node's process is asked to end, and ends when it is told that it may; another one starts later.</summary>
    NodeLeave,

    /// <summary>The coordinator is asked to drain a node.</summary>
    Drain,

    /// <summary>The run is paused, and resumed later.</summary>
    RunPause,

    /// <summary>A checkpoint is asked for.</summary>
    CheckpointRequest,

    /// <summary>A process starts with another configuration; its user mends that when it is refused.</summary>
    Stranger,

    /// <summary>The coordinator's actor fails, and its process starts another one.</summary>
    CoordinatorFailure,

    /// <summary>What is fetched from another node breaks off on its way.</summary>
    BrokenTransfer,

    /// <summary>A part of what is fetched from another node takes many times as long as usual.</summary>
    SlowTransfer,

    /// <summary>A node's clock jumps ahead, as after its machine was moved. The first of the harsh kinds, which have chance of their own.</summary>
    ClockJump,

    /// <summary>A node's process stands still for minutes, and goes on as if nothing had been.</summary>
    LongPause,

    /// <summary>A node's process stands still for a part of each second, as one whose memory is paged out.</summary>
    Stutter,

    /// <summary>A piece of work takes minutes.</summary>
    Hang,

    /// <summary>Several nodes' processes die at one instant.</summary>
    MassCrash,

    /// <summary>A node's process dies soon after it was given what others wait for: a shard, a slice to fetch or put back, the run itself.</summary>
    CrashAtTurn,

    /// <summary>The coordinator hears that a node's connection is closed, and the node lives on.</summary>
    Disconnect,

    /// <summary>A link is cut, in one direction or both, for less than anybody's patience.</summary>
    Flicker,

    /// <summary>What is fetched from a process that stands still is given up before it goes on.</summary>
    SilentPeer,

    /// <summary>The newest checkpoint, or any, cannot be read when it is needed, and can be later.</summary>
    ReadFailure,

    /// <summary>A link holds all that is sent over it for seconds, and gives it out at once.</summary>
    Stall,

    /// <summary>A checkpoint takes minutes to be written.</summary>
    SlowDisk,

    /// <summary>An actor fails between two effects of one input.</summary>
    FailureAmidEffects,
}
