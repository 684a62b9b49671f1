using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;

namespace Cllm.Tests.Bootstrap;

/// <summary>Nodes of this machine, at any free port.</summary>
internal static class OnLoopback
{
    /// <summary>How they take part.</summary>
    /// <param name="variables">Variables of the environment that change the actor configuration.</param>
    public static ClusterSystem Network(params (string Name, string Value)[] variables) =>
        new() { Hocon = Hocon.Load(null, variables), Listen = new NodeAddress("127.0.0.1", 0) };

    /// <summary>Where one can be reached.</summary>
    public static NodeAddress AddressOf(ActorSystem node)
    {
        var address = ((ExtendedActorSystem)node).Provider.DefaultAddress;
        return new NodeAddress(address.Host, address.Port!.Value);
    }

    /// <summary>Completed when one is a member that counts for the quorum: whoever only joins yet does not.</summary>
    public static Task UpAsync(ActorSystem node)
    {
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Akka.Cluster.Cluster.Get(node).RegisterOnMemberUp(() => up.TrySetResult());
        return up.Task;
    }
}
