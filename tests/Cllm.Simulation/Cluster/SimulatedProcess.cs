using Akka.Actor;
using Akka.Configuration;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Simulation.Arithmetic;

namespace Cllm.Simulation.Cluster;

/// <summary>
/// What the actors of a simulated process share: its memory, and in a cluster the program's own <see cref="NodeRun"/> over it, with all that fetches into it and
/// gives out of it.
/// </summary>
internal sealed class SimulatedProcess : IDisposable
{
    /// <summary>Workers that a process of a cluster has room for.</summary>
    public const int WorkersMax = 16;

    private const int SingleWorkersMax = 256;

    private static readonly string Credential = new('0', 2 * ChannelCredential.Bytes);

    public SimulatedProcess(SimulatedCluster cluster, SimulatedNode node, RunIdentity identity, long firstStep)
    {
        Host = cluster.MakeArithmetic(node.Disk.Checkpoints);
        if (!cluster.IsCluster)
        {
            Run = new SingleRun(Host, cluster, firstStep);
            return;
        }

        var time = new SimulatedTime(cluster, node);
        var settings = new ClusterSettings
        {
            Run = identity,
            Leaves = cluster.Scenario.Leaves,
            Steps = cluster.Scenario.Steps,
            Workers = WorkersMax,
            Shards = cluster.ShardCount,
            Node = node.Id,
            FirstStep = firstStep,
            Hocon = Config.Empty,
        };
        var address = new ChannelAddress(node.Index, $"node-{node.Index}", node.Id.Number + 1, Credential);
        Shared = new(settings, Host)
        {
            Scheduler = time,
            Time = time,
            ActorAt = cluster.RefOf,
            Channel = new(address, cluster.Channel.For(node.Index), this),
        };
        Run = Shared;
        cluster.Channel.Serve(address, new NodeStore(Shared));
    }

    /// <summary>Weights, moments and arithmetic.</summary>
    public IArithmetic Host { get; }

    /// <summary>What its actors share.</summary>
    public ProcessRun Run { get; }

    /// <summary>The same, in a cluster.</summary>
    public NodeRun? Shared { get; }

    /// <summary>Grows whenever a shard of this process changes a weight.</summary>
    public long Version { get; set; }

    public void Dispose()
    {
        Shared?.Updates.Dispose();
        Host.Dispose();
    }

    /// <summary>What the actors of a run in one process share.</summary>
    private sealed class SingleRun(IArithmetic host, SimulatedCluster cluster, long firstStep)
        : ProcessRun(host, cluster.Scenario.Leaves, cluster.ShardCount, new Step(firstStep), SingleWorkersMax, firstWorker: 0)
    {
        public override bool AreWeightsAt(Step step) => true;

        public override void AwaitWeights(Epoch epoch, Step step, IActorRef worker)
        {
        }

        public override IShardPeers PeersOf(ShardIndex shard, IActorRef self) => new LocalPeers(Gradients, Tree.Leaves);
    }
}
