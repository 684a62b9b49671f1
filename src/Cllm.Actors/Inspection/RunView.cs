namespace Cllm.Actors.Inspection;

/// <summary>What there is to see of a run at one moment, for people and programs: the JSON of <c>/status</c>.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="Phase">What the coordinator is at, in words.</param>
/// <param name="Epoch">The epoch.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="CommittedSteps">Steps that are done.</param>
/// <param name="LastCommittedStep">The last one of them; none before the first.</param>
/// <param name="CheckpointedSteps">Steps that the newest checkpoint has in it, on disk or on its way there.</param>
/// <param name="Loss">Loss of the last step seen here; none before the first.</param>
/// <param name="StepSeconds">Mean time of the last steps; none before the first.</param>
/// <param name="TokensPerSecond">Tokens in a second at that time; none before the first.</param>
/// <param name="BytesPerStep">Bytes that all nodes together sent over the tensor channel for each step that was done meanwhile.</param>
/// <param name="UpSeconds">Time since this coordinator's process set the run up.</param>
/// <param name="Wait">What it waits for; none when the run has ended.</param>
/// <param name="Faults">What went wrong and was made up for.</param>
/// <param name="Coordinator">The node whose process coordinates the run; none where no other can join.</param>
/// <param name="Nodes">The nodes.</param>
/// <param name="Workers">The workers.</param>
/// <param name="Shards">The shards.</param>
/// <param name="Leases">Leases without an answer yet.</param>
/// <param name="Notes">The last notes, the newest last.</param>
public sealed record RunView(
    string Name,
    string Phase,
    long Epoch,
    long Steps,
    long CommittedSteps,
    long? LastCommittedStep,
    long CheckpointedSteps,
    double? Loss,
    double? StepSeconds,
    double? TokensPerSecond,
    long BytesPerStep,
    double UpSeconds,
    RunWait? Wait,
    RunFaults Faults,
    int? Coordinator,
    RunNode[] Nodes,
    RunWorker[] Workers,
    RunShard[] Shards,
    RunLease[] Leases,
    string[] Notes)
{
    /// <summary>What to say to somebody who asks for a node that is not in here; null where it is, or none was asked for.</summary>
    public string? ObjectionTo(int? node) => node is null || Nodes.Any(known => known.Node == node)
        ? null
        : $"There is no node {node}; {(Nodes.Length == 0 ? "none has joined yet" : $"there {(Nodes.Length == 1 ? "is" : "are")} {string.Join(", ", Nodes.Select(known => known.Node))}")}.";
}

/// <summary>What a run waits for. A run that is well waits for something at every moment, but not for long.</summary>
/// <param name="Who">As in <c>shard 1, shard 4</c>.</param>
/// <param name="What">As in <c>to update</c>.</param>
/// <param name="Seconds">Since when.</param>
public sealed record RunWait(string Who, string What, double Seconds);

/// <summary>What went wrong and was made up for since this process began to coordinate the run.</summary>
/// <param name="WorkersLost">How often a worker was lost.</param>
/// <param name="NodesLost">How often a node was lost.</param>
/// <param name="ShardsLost">How often a shard was lost.</param>
/// <param name="Restores">How often the run went back to a checkpoint.</param>
/// <param name="Epochs">How often an epoch was begun because of it.</param>
/// <param name="MessagesDropped">Messages that came too late, twice, or from nobody known, since a coordinator began last.</param>
public sealed record RunFaults(long WorkersLost, long NodesLost, long ShardsLost, long Restores, long Epochs, long MessagesDropped)
{
    /// <summary>Losses in all: what the run survived.</summary>
    public long Survived => WorkersLost + NodesLost + ShardsLost;
}

/// <summary>A process with workers. Times are its own report's and a few seconds old.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Address">Where it is.</param>
/// <param name="State">In a word: there, leaving, drained, lost.</param>
/// <param name="Workers">Workers of it that are there.</param>
/// <param name="Shards">Shards that it owns.</param>
/// <param name="ComputeSeconds">Time that its workers computed, added up; none before its first report.</param>
/// <param name="ReduceSeconds">Time that its shards added gradients and updated; none before its first report.</param>
/// <param name="WaitSeconds">Time that its workers waited, added up; none before its first report.</param>
/// <param name="BytesSent">Bytes it sent over the tensor channel.</param>
/// <param name="BytesReceived">Bytes it got over the tensor channel.</param>
public sealed record RunNode(
    int Node, string Address, string State, int Workers, int Shards, double? ComputeSeconds, double? ReduceSeconds, double? WaitSeconds,
    long BytesSent, long BytesReceived)
{
    /// <summary>Whether it takes part.</summary>
    public bool IsThere => State is "there" or "leaving";
}

/// <summary>One worker.</summary>
/// <param name="Worker">Its number.</param>
/// <param name="Node">The node it runs on.</param>
/// <param name="State">In a word or two: computing, idle, joining, leaving, passed over, lost.</param>
/// <param name="Leaves">Leaves that it computed and that counted.</param>
/// <param name="TokensPerSecond">How fast it computes, by the median of its last leaves; none before the first.</param>
/// <param name="ComputeSeconds">Time that it computed; none before its node's first report.</param>
/// <param name="WaitSeconds">Time that it waited; none before its node's first report.</param>
/// <param name="LeasesOpen">Leases that it has yet to answer.</param>
/// <param name="Failures">How often it was lost.</param>
public sealed record RunWorker(
    int Worker, int Node, string State, long Leaves, double? TokensPerSecond, double? ComputeSeconds, double? WaitSeconds, int LeasesOpen, int Failures);

/// <summary>One shard.</summary>
/// <param name="Shard">Its number.</param>
/// <param name="Node">The node that owns it; none when there is none.</param>
/// <param name="IsLive">Whether it is there.</param>
/// <param name="Step">The step at which its slice stands; none when that is not known, or it is being updated.</param>
/// <param name="Replica">The node that holds its copy; none when there is no other node.</param>
/// <param name="ReplicaStep">The step of the copy; none before the first.</param>
/// <param name="Failures">How often it was lost.</param>
public sealed record RunShard(int Shard, int? Node, bool IsLive, long? Step, int? Replica, long? ReplicaStep, int Failures);

/// <summary>A lease without an answer yet.</summary>
/// <param name="Lease">Its name.</param>
/// <param name="Worker">Who has it.</param>
/// <param name="What">What is leased, as in <c>leaves 4-7</c>.</param>
/// <param name="Seconds">Since when.</param>
/// <param name="IsCopy">Whether it is beside another one, whose worker is late.</param>
public sealed record RunLease(string Lease, int Worker, string What, double Seconds, bool IsCopy);
