using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Model;

namespace Cllm.Tests.Bootstrap;

public sealed class NodeAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:4053", "127.0.0.1", 4053, true)]
    [InlineData("localhost:0", "localhost", 0, true)]
    [InlineData("[::1]:80", "::1", 80, true)]
    [InlineData("127.8.9.1:1", "127.8.9.1", 1, true)]
    [InlineData("cllm-0.cllm:4053", "cllm-0.cllm", 4053, false)]
    [InlineData("10.0.0.7:65535", "10.0.0.7", 65535, false)]
    [InlineData("[2001:db8::7]:4053", "2001:db8::7", 4053, false)]
    public void An_address_is_read_and_written_alike(string text, string host, int port, bool loopback)
    {
        var address = NodeAddress.Parse(text, "--listen");
        Assert.Equal(new NodeAddress(host, port), address);
        Assert.Equal(text, address.ToString());
        Assert.Equal(loopback, address.IsLoopback);
    }

    [Theory]
    [InlineData("")]
    [InlineData("4053")]
    [InlineData(":4053")]
    [InlineData("host")]
    [InlineData("host:")]
    [InlineData("host:-1")]
    [InlineData("host:65536")]
    [InlineData("host:1x")]
    [InlineData("::1:80")]
    [InlineData("[host]:80")]
    [InlineData("a b:80")]
    [InlineData("tcp://a:80")]
    [InlineData("a/b:80")]
    public void Anything_else_is_refused_by_name(string text) =>
        Assert.StartsWith($"--join is '{text}' and must be HOST:PORT", Assert.Throws<InputException>(() => NodeAddress.Parse(text, "--join")).Message);

    [Theory]
    [InlineData("akka.tcp://cllm@trainer:4053", "trainer", 4053)]
    [InlineData("akka.ssl.tcp://cllm@10.0.0.7:4053", "10.0.0.7", 4053)]
    [InlineData("akka.tcp://cllm@[::1]:4053", "::1", 4053)]
    [InlineData("trainer:4053", "trainer", 4053)]
    public void A_seed_node_is_read_as_akka_writes_it_or_plainly(string text, string host, int port) => Assert.Equal(new NodeAddress(host, port), NodeAddress.ParseSeed(text));

    [Theory]
    [InlineData("akka.tcp://other@trainer:4053")]
    [InlineData("akka.tcp://cllm")]
    [InlineData("akka://cllm@trainer:4053")]
    [InlineData("://")]
    [InlineData("trainer")]
    public void Any_other_seed_node_is_refused_by_name(string text) => Assert.StartsWith(
        $"A node in akka.cluster.seed-nodes is '{text}' and must be HOST:PORT", Assert.Throws<InputException>(() => NodeAddress.ParseSeed(text)).Message);

    [Fact]
    public void Nobody_is_called_at_port_0()
    {
        Assert.Equal(new NodeAddress("host", 1), NodeAddress.ParseCalled("host:1", "--join"));
        Assert.Equal(
            "--join is 'host:0', and nobody can be called at port 0; give the port that is listened at there.",
            Assert.Throws<InputException>(() => NodeAddress.ParseCalled("host:0", "--join")).Message);
        Assert.StartsWith(
            "A node in akka.cluster.seed-nodes is 'host:0', and nobody",
            Assert.Throws<InputException>(() => NodeAddress.ParseSeed("akka.tcp://cllm@host:0")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_joins_on_this_machine_listens_on_this_machine_only() =>
        Assert.Equal(new NodeAddress("127.0.0.1", 0), NodeAddress.Facing(new NodeAddress("127.0.0.1", 4053)));

    [Fact]
    public void A_node_that_cannot_be_found_is_passed_over_where_others_are_known()
    {
        NodeAddress gone = new("gone.invalid", 4053);
        Assert.Equal(new NodeAddress("127.0.0.1", 0), NodeAddress.FacingAny([gone, new("127.0.0.1", 4053)]));
        Assert.StartsWith("gone.invalid cannot be found from here", Assert.Throws<InputException>(() => NodeAddress.FacingAny([gone, gone])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.7:4053")]
    [InlineData("node-3:4053")]
    public void Without_certificates_nobody_outside_may_reach_a_node(string listen)
    {
        var address = NodeAddress.Parse(listen, "--listen");
        var failure = Assert.Throws<InputException>(() => WhoMayJoin.Require(address, tls: false));
        Assert.Contains(listen, failure.Message, StringComparison.Ordinal);
        Assert.Contains("`cllm certificate --out tls`", failure.Message, StringComparison.Ordinal);
        WhoMayJoin.Require(address, tls: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_address_that_nobody_can_call_is_refused(bool tls) => Assert.Contains(
        "--listen 0.0.0.0:4053 is no address", Assert.Throws<InputException>(() => WhoMayJoin.Require(new NodeAddress("0.0.0.0", 4053), tls)).Message);

    [Fact]
    public void A_key_that_binds_elsewhere_than_the_command_line_is_refused()
    {
        var hocon = Hocon.Load(null, [("AKKA__REMOTE__DOT_NETTY__TCP__BIND_HOSTNAME", "0.0.0.0")]);
        Assert.Contains("bind-hostname", Assert.Throws<InputException>(() => WhoMayJoin.Require(hocon, tls: false)).Message);
        WhoMayJoin.Require(hocon, tls: true);
    }
}
