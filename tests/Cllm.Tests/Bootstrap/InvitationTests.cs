using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Model;
using Cllm.Model.Run;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Bootstrap;

/// <summary>Over real sockets on this machine.</summary>
public sealed class InvitationTests
{
    private static readonly ClusterSystem Network = OnLoopback.Network();

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Whoever_asks_a_node_is_told_what_the_run_is_before_it_is_a_member()
    {
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        using ActorSystem node = Network.StartNode();
        Invitations.Serve(node, invitation);
        Assert.Equal((invitation, OnLoopback.AddressOf(node)), await Invitations.AskAsync([OnLoopback.AddressOf(node)], Network, Patience, CancellationToken.None));
        Assert.Empty(Akka.Cluster.Cluster.Get(node).State.Members);
        await node.Terminate();
    }

    [IPv6Fact]
    public async Task A_node_with_an_address_of_the_newer_kind_answers_as_well()
    {
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        ClusterSystem network = Network with { Listen = new NodeAddress("::1", 0) };
        using ActorSystem node = network.StartNode();
        Invitations.Serve(node, invitation);
        NodeAddress there = new("::1", OnLoopback.AddressOf(node).Port);
        Assert.Equal((invitation, there), await Invitations.AskAsync([there], network, Patience, CancellationToken.None));
        await node.Terminate();
    }

    [Fact]
    public async Task Of_several_nodes_those_that_do_not_answer_are_passed_over()
    {
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        using ActorSystem node = Network.StartNode();
        Invitations.Serve(node, invitation);
        NodeAddress[] nodes = [new("127.0.0.1", 1), OnLoopback.AddressOf(node)];
        Assert.Equal((invitation, nodes[1]), await Invitations.AskAsync(nodes, Network, Patience, CancellationToken.None));
        await node.Terminate();
    }

    [Fact]
    public async Task Where_nobody_answers_the_sentence_says_so()
    {
        var nobody = new NodeAddress("127.0.0.1", 1);
        var failure = await Assert.ThrowsAsync<InputException>(
            () => Invitations.AskAsync([nobody, new("::1", 2)], Network, TimeSpan.FromSeconds(1), CancellationToken.None));
        Assert.StartsWith("No run answers at 127.0.0.1:1 or [::1]:2 since 1 s; start it there with `cllm train --listen 127.0.0.1:1`", failure.Message);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using ActorSystem first = Network.StartNode();
        NodeAddress taken = OnLoopback.AddressOf(first);
        var failure = Assert.Throws<InputException>(() => (Network with { Listen = taken }).StartNode());
        Assert.Equal($"Nothing can listen at {taken}: another process listens there; choose another port.", failure.Message);
        await first.Terminate();
    }

    [Fact]
    public async Task A_port_behind_the_door_that_another_process_has_first_is_passed_over()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var ports = new Queue<int>([((IPEndPoint)other.LocalEndpoint).Port, ClusterSystem.FreePort()]);
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        using ActorSystem node = Network.StartNode(ports.Dequeue);
        Assert.Empty(ports);
        Invitations.Serve(node, invitation);
        Assert.Equal((invitation, OnLoopback.AddressOf(node)), await Invitations.AskAsync([OnLoopback.AddressOf(node)], Network, Patience, CancellationToken.None));
        await node.Terminate();
    }

    [Fact]
    public void An_address_of_another_machine_is_named()
    {
        var failure = Assert.Throws<InputException>(
            () => OnLoopback.Network(("AKKA__REMOTE__DOT_NETTY__TCP__BIND_HOSTNAME", "10.1.2.3")).StartNode());
        Assert.Contains("without certificates", failure.Message, StringComparison.Ordinal);
    }
}
