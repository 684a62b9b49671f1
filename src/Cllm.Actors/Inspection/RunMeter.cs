using System.Diagnostics.Metrics;
using Cllm.Actors.Channel;
using Cllm.Protocol.Coordination;

namespace Cllm.Actors.Inspection;

/// <summary>
/// The instruments of <see cref="Meter"/> <c>Cllm.Actors</c>. An instrument that nobody listens to costs a comparison, and none of them allocates: its labels are
/// made once.
/// </summary>
public static class RunMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "Cllm.Actors";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Steps = Meter.CreateCounter<long>("cllm.steps", null, "Optimizer steps done.");
    private static readonly Histogram<double> StepDuration = Meter.CreateHistogram<double>("cllm.step.duration", "s", "Time of a step.");
    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>("cllm.tokens", null, "Tokens trained on.");
    private static readonly Counter<long> Checkpoints = Meter.CreateCounter<long>("cllm.checkpoints", null, "Checkpoints written.");
    private static readonly Counter<long> Faults = Meter.CreateCounter<long>("cllm.faults", null, "What was lost and made up for, by kind.");
    private static readonly Counter<long> Leaves = Meter.CreateCounter<long>("cllm.leaves", null, "Leaves computed by the workers of this process.");
    private static readonly Counter<double> Compute = Meter.CreateCounter<double>("cllm.compute", "s", "Time that the workers of this process computed.");
    private static readonly Counter<double> Reduce = Meter.CreateCounter<double>("cllm.reduce", "s", "Time that the shards of this process added and updated.");
    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>("cllm.bytes", "By", "Bytes over the tensor channel, by lane and direction.");

    private static readonly Counter<long> Strangers = Meter.CreateCounter<long>("cllm.strangers", null, "Connections that were turned away, at the port of --listen and at the tensor channel.");

    private static readonly KeyValuePair<string, object?>[] Kinds =
        [.. Enum.GetValues<FaultKind>().Select(kind => KeyValuePair.Create<string, object?>("kind", kind.ToString().ToLowerInvariant()))];

    private static readonly KeyValuePair<string, object?>[] Lanes =
        [.. Enum.GetValues<TensorKind>().Select(lane => KeyValuePair.Create<string, object?>("lane", lane.ToString().ToLowerInvariant()))];

    private static readonly KeyValuePair<string, object?> ToOthers = new("direction", "sent");
    private static readonly KeyValuePair<string, object?> FromOthers = new("direction", "received");

    /// <summary>A step is done.</summary>
    /// <param name="tokens">Tokens in it.</param>
    /// <param name="seconds">Its time.</param>
    public static void Stepped(long tokens, double seconds)
    {
        Steps.Add(1);
        Tokens.Add(tokens);
        StepDuration.Record(seconds);
    }

    /// <summary>A checkpoint is on disk.</summary>
    public static void Checkpointed() => Checkpoints.Add(1);

    /// <summary>A coordinator has failed, and another one goes on.</summary>
    public static void CoordinatorFailed() => Survived(FaultKind.Coordinator, 1);

    /// <summary>Things were lost, and the run makes up for them.</summary>
    /// <param name="faults">What was lost since this was said last.</param>
    public static void Survived(in FaultCounts faults)
    {
        Survived(FaultKind.Worker, faults.WorkersLost);
        Survived(FaultKind.Shard, faults.ShardsLost);
        Survived(FaultKind.Node, faults.NodesLost);
        Survived(FaultKind.Restore, faults.Restores);
    }

    /// <summary>Counts nothing, so that whoever began to listen knows what there is to count: a rate needs a value from before the first event.</summary>
    internal static void CountNothing()
    {
        Steps.Add(0);
        Tokens.Add(0);
        Checkpoints.Add(0);
        Strangers.Add(0);
        foreach (var kind in Kinds)
        {
            Faults.Add(0, kind);
        }
    }

    /// <summary>A worker of this process has computed leaves.</summary>
    /// <param name="leaves">How many.</param>
    /// <param name="seconds">Their time.</param>
    public static void Computed(int leaves, double seconds)
    {
        Leaves.Add(leaves);
        Compute.Add(seconds);
    }

    /// <summary>A shard of this process has added its range, or updated its slice.</summary>
    public static void Reduced(double seconds) => Reduce.Add(seconds);

    /// <summary>Bytes went out over the tensor channel.</summary>
    public static void Sent(TensorKind lane, long bytes) => Bytes.Add(bytes, Lanes[lane - TensorKind.Gradient], ToOthers);

    /// <summary>A connection was turned away.</summary>
    public static void Refused() => Strangers.Add(1);

    /// <summary>Bytes came in over the tensor channel.</summary>
    public static void Received(TensorKind lane, long bytes) => Bytes.Add(bytes, Lanes[lane - TensorKind.Gradient], FromOthers);

    private static void Survived(FaultKind kind, long count)
    {
        if (count > 0)
        {
            Faults.Add(count, Kinds[(int)kind]);
        }
    }
}

/// <summary>What a run loses and makes up for.</summary>
public enum FaultKind
{
    /// <summary>A worker.</summary>
    Worker,

    /// <summary>A shard.</summary>
    Shard,

    /// <summary>A node.</summary>
    Node,

    /// <summary>The coordinator.</summary>
    Coordinator,

    /// <summary>Half an update, or a slice without a copy: the run goes back to a checkpoint.</summary>
    Restore,
}
