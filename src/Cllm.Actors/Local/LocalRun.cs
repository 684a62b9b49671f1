using Akka.Actor;
using Cllm.Actors.Inspection;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Local;

/// <summary>What the actors of a run in one process share.</summary>
internal sealed class LocalRun : ProcessRun
{
    /// <summary>Sets up the state that outlives the actors.</summary>
    public LocalRun(IRunHost host, ITrainingObserver observer, CoordinatorSettings settings, int workers, RunInspector? inspector = null)
        : base(host, settings.Leaves, settings.Shards, settings.FirstStep, workers, firstWorker: 0) =>
        (Settings, Coordinator) = (settings, new(host, observer, settings, inspector ?? new("", 0, settings.Leaves)));

    /// <summary>What the first coordinator is made with.</summary>
    public CoordinatorSettings Settings { get; }

    /// <summary>What stays of the coordinator when it fails.</summary>
    public CoordinatorRun Coordinator { get; }

    /// <summary>Workers read the very weights that the shards write.</summary>
    public override bool AreWeightsAt(Step step) => true;

    public override void AwaitWeights(Epoch epoch, Step step, IActorRef worker)
    {
    }

    public override IShardPeers PeersOf(ShardIndex shard, IActorRef self) => new LocalPeers(Gradients, Settings.Leaves);
}
