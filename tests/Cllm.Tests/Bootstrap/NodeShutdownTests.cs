using System.Net;
using System.Net.Sockets;
using System.Text;
using Akka;
using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Model.Run;
using Cllm.Protocol.Identity;
using Cllm.Tests.Files;

namespace Cllm.Tests.Bootstrap;

/// <summary>Over real sockets on this machine.</summary>
public sealed class NodeShutdownTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Another_program_that_listens_where_a_node_was_ends_no_node_that_calls_there()
    {
        NodeCertificates.Create(_folder.At("tls"), ["trainer"]);
        ClusterSystem network = OnLoopback.Network() with { Certificates = NodeCertificates.Load(_folder.At("tls")) };
        using ActorSystem node = network.StartNode();
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        Invitations.Serve(node, invitation);
        Task began = BeginningOfShutdown(node);

        using var program = new TcpListener(IPAddress.Loopback, 0);
        program.Start();
        NodeAddress there = new("127.0.0.1", ((IPEndPoint)program.LocalEndpoint).Port);
        node.ActorSelection(new RootActorPath(network.AddressOf(there)) / "user" / "nobody").Tell(new Identify(1));
        using (Socket call = await program.AcceptSocketAsync())
        {
            await call.ReceiveAsync(new byte[1]);
            await call.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
        }

        await began.WaitAsync(Patience);
        NodeAddress here = OnLoopback.AddressOf(node);
        Assert.Equal((invitation, here), await Invitations.AskAsync([here], network, Patience, CancellationToken.None));
        Assert.False(node.WhenTerminated.IsCompleted);

        await NodeShutdown.Get(node).RunAsync().WaitAsync(Patience);
        await node.WhenTerminated.WaitAsync(Patience);
    }

    [Theory]
    [InlineData("leave")]
    [InlineData("down")]
    public async Task A_node_that_was_to_be_shut_down_before_for_no_good_reason_still_leaves_its_cluster_and_ends(string order)
    {
        using ActorSystem node = OnLoopback.Network().StartNode();
        Akka.Cluster.Cluster cluster = await JoinedAsync(node);
        await BeginAsync(node, CoordinatedShutdown.UnknownReason.Instance);
        Assert.False(node.WhenTerminated.IsCompleted);

        if (order == "leave")
        {
            cluster.Leave(cluster.SelfAddress);
        }
        else
        {
            cluster.Down(cluster.SelfAddress);
        }

        await node.WhenTerminated.WaitAsync(Patience);
    }

    [Fact]
    public async Task One_that_finds_no_cluster_in_time_ends_as_well()
    {
        using ActorSystem node = OnLoopback.Network(("AKKA__CLUSTER__SHUTDOWN_AFTER_UNSUCCESSFUL_JOIN_SEED_NODES", "100ms")).StartNode();
        await BeginAsync(node, CoordinatedShutdown.UnknownReason.Instance);
        await node.WhenTerminated.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_the_cluster_wants_is_done_at_once()
    {
        using ActorSystem node = OnLoopback.Network().StartNode();
        await JoinedAsync(node);
        await CoordinatedShutdown.Get(node).Run(CoordinatedShutdown.ClusterDowningReason.Instance).WaitAsync(Patience);
        Assert.True(node.WhenTerminated.IsCompleted);
    }

    /// <summary>As a node does that was struck off and joins again.</summary>
    [Fact]
    public async Task Where_a_node_listened_that_has_ended_the_next_one_can_listen_at_once()
    {
        ClusterSystem network = OnLoopback.Network() with { Listen = new NodeAddress("127.0.0.1", ClusterSystem.FreePort()) };
        for (var i = 0; i < 3; i++)
        {
            using ActorSystem node = network.StartNode();
            Akka.Cluster.Cluster cluster = await JoinedAsync(node);
            cluster.Down(cluster.SelfAddress);
            await node.WhenTerminated.WaitAsync(Patience);
            await NodeShutdown.Get(node).RunAsync().WaitAsync(Patience);
        }
    }

    private static async Task<Akka.Cluster.Cluster> JoinedAsync(ActorSystem node)
    {
        var cluster = Akka.Cluster.Cluster.Get(node);
        cluster.Join(cluster.SelfAddress);
        await OnLoopback.UpAsync(node).WaitAsync(Patience);
        return cluster;
    }

    private static Task BeginAsync(ActorSystem node, CoordinatedShutdown.Reason reason)
    {
        Task began = BeginningOfShutdown(node);
        _ = CoordinatedShutdown.Get(node).Run(reason);
        return began.WaitAsync(Patience);
    }

    private static Task BeginningOfShutdown(ActorSystem node)
    {
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        CoordinatedShutdown.Get(node).AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "seen", () =>
        {
            began.TrySetResult();
            return Task.FromResult(Done.Instance);
        });
        return began.Task;
    }
}
