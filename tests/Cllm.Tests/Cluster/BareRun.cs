using Cllm.Actors;
using Cllm.Actors.Cluster;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Cluster;

/// <summary>What a test makes a <see cref="NodeRun"/> of that belongs to no cluster: it works on the run's parts itself.</summary>
internal static class BareRun
{
    public const long Steps = 10;

    /// <summary>The state of <see cref="TestNode"/>'s runs, of which nothing is drawn and nothing written.</summary>
    public static RunHost Host() =>
        new(TestNode.Plan(Steps), new CheckpointStore(new MemoryFileStore(), "/run", 1), "test") { InitialWeights = _ => { }, Warn = _ => { } };

    /// <summary>Node 1, without workers.</summary>
    public static ClusterSettings Settings(RunHost host, int shards) => new()
    {
        Run = new("test", "test", RunIdentity.ProtocolVersion),
        Leaves = host.Leaves.Leaves,
        Steps = Steps,
        Workers = 0,
        Shards = shards,
        Node = new(1),
        Hocon = Hocon.Load(),
    };
}
