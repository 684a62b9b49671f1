using Akka.Actor;
using Cllm.Protocol;

namespace Cllm.Simulation.Cluster;

/// <summary>
/// How the program's own classes reach a simulated actor. What is told within a process arrives in order; what is told to another process takes its way over the
/// network, with whatever happens there.
/// </summary>
/// <param name="cluster">The cluster.</param>
/// <param name="node">Where the actor is.</param>
/// <param name="address">Its address.</param>
/// <param name="place">The actor, or the place of a shard or worker that others take when one fails.</param>
internal sealed class SimulatedRef(SimulatedCluster cluster, SimulatedNode node, Destination address, object place) : MinimalActorRef
{
    private static readonly ActorPath Root = new RootActorPath(new Address("akka", "simulated")) / "user";
    private static long _made;

    public SimulatedNode Node => node;

    public Destination Address => address;

    public object Place => place;

    /// <summary>The end of its path, which nobody else has.</summary>
    public string Name => Path.Name;

    public override ActorPath Path { get; } = Root / Interlocked.Increment(ref _made).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public override IActorRefProvider Provider => throw new NotSupportedException("there is no actor system");

    protected override void TellInternal(object message, IActorRef sender) => cluster.Tell(this, message, sender);
}

/// <summary>What one actor tells another beside the machines' messages.</summary>
/// <param name="Message">What is told.</param>
/// <param name="Sender">By whom.</param>
internal sealed record Told(object Message, IActorRef Sender);
