using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Model;
using Cllm.Model.Run;
using Cllm.Protocol.Identity;
using Cllm.Tests.Files;

namespace Cllm.Tests.Bootstrap;

public sealed class NodeCertificatesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nodes_of_one_authority_trust_each_other_and_nobody_else()
    {
        NodeCertificates first = Make("tls", "trainer", "10.0.0.7");
        foreach (string file in Directory.GetFiles(_folder.At("tls"), "node.*"))
        {
            File.Delete(file);
        }

        NodeCertificates second = Make("tls", "other");
        NodeCertificates stranger = Make("strange", "trainer");
        Assert.NotEqual(first.Own.Thumbprint, second.Own.Thumbprint);
        Assert.Null(first.ObjectionTo(second.Own));
        Assert.Null(second.ObjectionTo(first.Own));
        Assert.NotNull(first.ObjectionTo(stranger.Own));
        Assert.NotNull(stranger.ObjectionTo(first.Own));
    }

    [Fact]
    public void Keys_are_for_their_owner_only()
    {
        Make("tls", "trainer");
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Assert.Equal(Owner, File.GetUnixFileMode(_folder.At("tls/node.pfx")));
            Assert.Equal(Owner, File.GetUnixFileMode(_folder.At("tls/node.key")));
            Assert.Equal(Owner, File.GetUnixFileMode(_folder.At("tls/ca.key")));
        }
    }

    [Fact]
    public void A_certificate_that_is_there_is_not_replaced()
    {
        Make("tls", "trainer");
        Assert.Contains("is there already", Assert.Throws<InputException>(() => NodeCertificates.Create(_folder.At("tls"), ["trainer"])).Message);
    }

    [Fact]
    public void A_folder_that_cannot_be_is_refused_in_a_sentence()
    {
        File.WriteAllText(_folder.At("file"), "");
        Assert.Contains("is a file", Assert.Throws<InputException>(() => NodeCertificates.Create(_folder.At("file"), ["trainer"])).Message);
        string sentence = Assert.Throws<InputException>(() => NodeCertificates.Create(_folder.At("file/below/it"), ["trainer"])).Message;
        Assert.Equal($"There can be no folder {_folder.At("file/below/it")}, for {_folder.At("file")} is a file; choose another --out.", sentence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a..b")]
    public void What_is_no_name_of_a_machine_is_refused_before_there_is_a_folder(string host)
    {
        Assert.Contains($"--name is '{host}'", Assert.Throws<InputException>(() => NodeCertificates.Create(_folder.At("tls"), ["trainer", host])).Message);
        Assert.False(Path.Exists(_folder.At("tls")));
    }

    [Fact]
    public void A_node_needs_no_key_of_the_authority()
    {
        Make("tls", "trainer");
        File.Delete(_folder.At("tls/ca.key"));
        NodeCertificates.Load(_folder.At("tls"));
    }

    [Theory]
    [InlineData("node.pfx")]
    [InlineData("ca.crt")]
    public void A_damaged_or_missing_file_is_named(string name)
    {
        Make("tls", "trainer");
        string path = _folder.At("tls/" + name);
        File.WriteAllText(path, "no certificate");
        Assert.Contains(path, Assert.Throws<InputException>(() => NodeCertificates.Load(_folder.At("tls"))).Message);
        File.Delete(path);
        Assert.Contains(path, Assert.Throws<InputException>(() => NodeCertificates.Load(_folder.At("tls"))).Message);
    }

    [Fact]
    public void A_certificate_of_another_authority_than_the_folders_is_refused()
    {
        Make("tls", "trainer");
        Make("strange", "trainer");
        File.Copy(_folder.At("strange/ca.crt"), _folder.At("tls/ca.crt"), overwrite: true);
        Assert.Contains("cannot be used", Assert.Throws<InputException>(() => NodeCertificates.Load(_folder.At("tls"))).Message);
    }

    [Fact]
    public async Task A_run_with_certificates_answers_those_who_have_one_of_its_own()
    {
        ClusterSystem network = Network(Make("tls", "trainer"));
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        using ActorSystem node = network.StartNode();
        Invitations.Serve(node, invitation);
        NodeAddress run = OnLoopback.AddressOf(node);
        Assert.Equal((invitation, run), await Invitations.AskAsync([run], network, TimeSpan.FromSeconds(20), CancellationToken.None));

        var unheard = await Assert.ThrowsAsync<InputException>(
            () => Invitations.AskAsync([run], Network(null), TimeSpan.FromSeconds(2), CancellationToken.None));
        Assert.StartsWith($"No run answers at {run}", unheard.Message, StringComparison.Ordinal);

        // It is not asked again, for the answer will not be another one.
        var refused = await Assert.ThrowsAsync<InputException>(
            () => Invitations.AskAsync([run], Network(Make("strange", "trainer")), TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.Equal(
            $"The process at {run} is not trusted: its certificate CN=cllm node was issued by CN=cllm authority and not by an authority that is trusted here; "
            + "give both certificates of the same authority.", refused.Message);
        await node.Terminate();
    }

    [Fact]
    public async Task A_node_that_is_not_trusted_does_not_keep_a_process_from_another_one_that_is()
    {
        ClusterSystem network = Network(Make("tls", "trainer"));
        RunInvitation invitation = RunInvitationTests.Some with { ProtocolVersion = RunIdentity.ProtocolVersion };
        using ActorSystem node = network.StartNode();
        using ActorSystem stranger = Network(Make("strange", "trainer")).StartNode();
        Invitations.Serve(node, invitation);
        (NodeAddress run, NodeAddress other) = (OnLoopback.AddressOf(node), OnLoopback.AddressOf(stranger));
        Assert.Equal((invitation, run), await Invitations.AskAsync([other, run], network, TimeSpan.FromMinutes(1), CancellationToken.None));

        string distrust = $"he process at {other} is not trusted: its certificate CN=cllm node was issued by CN=cllm authority and not by an authority that is trusted here";
        await CheckRefused([other, other], TimeSpan.FromMinutes(1), sentence => Assert.Equal($"T{distrust}; give both certificates of the same authority.", sentence));

        // Nothing is held against the one that is silent.
        NodeAddress silent = new("127.0.0.1", 1);
        await CheckRefused([other, silent], TimeSpan.FromSeconds(5), sentence =>
        {
            Assert.StartsWith($"No run answers at {silent} since 5 s; start it there", sentence, StringComparison.Ordinal);
            Assert.EndsWith($"T{distrust}; give both certificates of the same authority.", sentence, StringComparison.Ordinal);
        });
        await Task.WhenAll(node.Terminate(), stranger.Terminate());

        async Task CheckRefused(NodeAddress[] nodes, TimeSpan patience, Action<string> check) =>
            check((await Assert.ThrowsAsync<InputException>(() => Invitations.AskAsync(nodes, network, patience, CancellationToken.None))).Message);
    }

    private static ClusterSystem Network(NodeCertificates? certificates) => OnLoopback.Network() with { Certificates = certificates };

    private NodeCertificates Make(string folder, params string[] names)
    {
        NodeCertificates.Create(_folder.At(folder), names);
        return NodeCertificates.Load(_folder.At(folder));
    }
}
