using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;
using Cllm.Tests.Checkpoints;
using Cllm.Tests.Cluster;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>A process of a cluster whose actors replay a transcript: it has a small model's state, and nobody to fetch anything from.</summary>
internal sealed class ReplayedProcess : IDisposable
{
    private readonly RunHost _host;

    public ReplayedProcess(ActorSystem system, int node, RunIdentity? identity, int leaves, int shards, int workers)
    {
        var plan = TestNode.Plan(1);
        _host = new(plan, new CheckpointStore(new MemoryFileStore(), "/run", 1), "test")
        {
            InitialWeights = weights => InitialWeights.Draw(plan.Layout, plan.Configuration.Seed, weights),
            Warn = _ => { },
        };
        var settings = new ClusterSettings
        {
            Run = identity ?? new("none", "none", RunIdentity.ProtocolVersion),
            Leaves = leaves,
            Steps = 1,
            Workers = workers,
            Shards = shards,
            Node = new(node),
            Hocon = TranscriptSystem.Configuration,
        };
        Run = new(settings, _host)
        {
            Scheduler = system.Scheduler,
            ActorAt = system.ActorSelection,
            Channel = new(new(node, "nowhere", 1, ChannelCredential.Draw()), new LocalTransport(), Stream.Null),
        };
    }

    public NodeRun Run { get; }

    public void Dispose() => _host.Dispose();
}
