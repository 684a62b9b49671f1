using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Certificates;
using Cllm.Model;
using Cllm.Numerics.Memory;
using Cllm.Tests.Files;

namespace Cllm.Tests.Channel;

/// <summary>TLS at both ends, and certificates as files.</summary>
public sealed class CertificateTests : IDisposable
{
    private const int Floats = 200_000;
    private static readonly DateTimeOffset _from = DateTimeOffset.UtcNow.AddHours(-1);
    private static readonly DateTimeOffset _until = DateTimeOffset.UtcNow.AddDays(30);

    private readonly SampleStore _store = new(Floats);
    private readonly AlignedBuffer _buffer = new(Floats);
    private readonly CertificateAuthority _authority = CertificateAuthority.Create("a cluster", _from.AddDays(-10), _until);
    private readonly List<string> _notes = [];

    public void Dispose()
    {
        _store.Dispose();
        _buffer.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void Two_nodes_of_one_authority_exchange_tensors_over_TLS()
    {
        var result = Fetch(Trusting(_authority, Node(_authority)), Trusting(_authority, Node(_authority)));
        Assert.Equal(FetchResult.Done, result);
        Assert.True(_buffer.Span.SequenceEqual(_store.Weights.Span));
    }

    [Fact]
    public void Two_nodes_that_pin_each_other_exchange_tensors_over_TLS()
    {
        X509Certificate2 one = Node(_authority), two = Node(_authority);
        Assert.Equal(FetchResult.Done, Fetch(ChannelTls.Pinned(one, Hash(two)), ChannelTls.Pinned(two, Hash(one))));
        Assert.Equal(RefusalReason.Certificate, Fetch(ChannelTls.Pinned(one, Hash(two)), ChannelTls.Pinned(two, Hash(two))).Reason);
    }

    [Fact]
    public void A_caller_of_another_authority_is_turned_away_with_a_sentence()
    {
        using var other = CertificateAuthority.Create("another cluster", _from, _until);
        var both = new X509Certificate2Collection { _authority.Certificate, other.Certificate };
        var result = Fetch(Trusting(_authority, Node(_authority)), ChannelTls.IssuedBy(Node(other), both));
        Assert.NotEqual(FetchOutcome.Done, result.Outcome);
        Assert.Contains("certificate", result.Sentence);
        Assert.Contains("was issued by CN=another cluster", Assert.Single(_notes));
    }

    [Fact]
    public void A_called_node_of_another_authority_is_not_accepted()
    {
        using var other = CertificateAuthority.Create("another cluster", _from, _until);
        var result = Fetch(Trusting(other, Node(other)), Trusting(_authority, Node(_authority)));
        Assert.Equal(RefusalReason.Certificate, result.Reason);
        Assert.Contains("was issued by CN=another cluster", result.Sentence);
    }

    [Fact]
    public void An_expired_certificate_is_not_accepted_on_either_side()
    {
        using var expired = _authority.Issue("old node", [], _from.AddDays(-9), _from.AddDays(-1));
        var called = Fetch(Trusting(_authority, expired), Trusting(_authority, Node(_authority)));
        Assert.Equal(RefusalReason.Certificate, called.Reason);
        Assert.Contains("is valid from", called.Sentence);

        _notes.Clear();
        Assert.NotEqual(FetchOutcome.Done, Fetch(Trusting(_authority, Node(_authority)), Trusting(_authority, expired)).Outcome);
        Assert.Contains("is valid from", Assert.Single(_notes));
    }

    [Fact]
    public void A_caller_without_a_certificate_gets_nothing()
    {
        using var channel = new SocketChannel(_store, serverTls: Trusting(_authority, Node(_authority)), note: _notes.Add);
        using var client = new System.Net.Sockets.TcpClient("127.0.0.1", channel.Address.Port);
        using var tls = new System.Net.Security.SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        Assert.ThrowsAny<Exception>(() =>
        {
            tls.AuthenticateAsClient("node");
            tls.Write(Caller.Hello(channel.Address));
            tls.ReadExactly(new byte[64]);
        });
        Assert.True(SpinWait.SpinUntil(() => channel.Counters.StrangersRefused == 1, TimeSpan.FromSeconds(30)));
        Assert.Equal(0, channel.Server.Lanes);
    }

    [Fact]
    public void Plain_and_TLS_do_not_meet()
    {
        var limits = new ChannelLimits { ConnectMilliseconds = 1_000, HandshakeMilliseconds = 500 };
        Assert.NotEqual(FetchOutcome.Done, Fetch(Trusting(_authority, Node(_authority)), null, limits).Outcome);
        Assert.NotEqual(FetchOutcome.Done, Fetch(null, Trusting(_authority, Node(_authority)), limits).Outcome);
    }

    [Fact]
    public void Certificates_survive_their_files_and_keys_are_their_owners()
    {
        using var folder = new TemporaryFolder();
        _authority.Write(folder.FullPath);
        using var authority = CertificateAuthority.Open(folder.FullPath);
        using var issued = authority.Issue("node", ["example.org", "10.0.0.7"], _from, _until);
        CertificateFiles.WriteNode(folder.FullPath, "node", issued);
        using var locked = authority.Issue("locked", [], _from, _until);
        CertificateFiles.WriteNode(folder.FullPath, "locked", locked, "a password");

        var node = CertificateFiles.ReadNode(folder.At("node.pfx"));
        var trusted = CertificateFiles.ReadAuthorities(folder.At(CertificateAuthority.CertificateFile));
        Assert.Equal(FetchResult.Done, Fetch(ChannelTls.IssuedBy(node, trusted), Trusting(_authority, Node(_authority))));
        Assert.True(CertificateFiles.ReadNode(folder.At("locked.pfx"), "a password").HasPrivateKey);
        Assert.Throws<InputException>(() => CertificateFiles.ReadNode(folder.At("locked.pfx")));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var secret in new[] { CertificateAuthority.KeyFile, "node.key", "node.pfx" })
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.At(secret)));
            }
        }

        Assert.DoesNotContain(Directory.GetFiles(folder.FullPath), path => path.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_is_never_overwritten()
    {
        using var folder = new TemporaryFolder();
        _authority.Write(folder.FullPath);
        using var other = CertificateAuthority.Create("another cluster", _from, _until);
        Assert.Contains("is there already", Assert.Throws<InputException>(() => other.Write(folder.FullPath)).Message);
        using var kept = CertificateAuthority.Open(folder.FullPath);
        Assert.Equal(_authority.Certificate.Thumbprint, kept.Certificate.Thumbprint);
    }

    [Fact]
    public void Files_that_are_none_are_the_users_to_replace()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("x.pfx");
        File.WriteAllText(path, "hello");
        Assert.Throws<InputException>(() => CertificateFiles.ReadNode(path));
        Assert.Throws<InputException>(() => CertificateFiles.ReadAuthorities(path));
        Assert.Throws<InputException>(() => CertificateAuthority.Open(folder.FullPath));
        using var noKey = X509CertificateLoader.LoadCertificate(Node(_authority).Export(X509ContentType.Cert));
        Assert.Throws<InputException>(() => Trusting(_authority, noKey));
    }

    private static X509Certificate2 Node(CertificateAuthority authority) => authority.Issue("node", [], _from, _until);

    private static ChannelTls Trusting(CertificateAuthority authority, X509Certificate2 own) =>
        ChannelTls.IssuedBy(own, [authority.Certificate]);

    private static string Hash(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256);

    private FetchResult Fetch(ChannelTls? server, ChannelTls? client, ChannelLimits? limits = null)
    {
        using var channel = new SocketChannel(_store, limits, server, client, _notes.Add);
        using var lane = channel.Transport.Open(channel.Address, 0);
        return lane.Fetch(TensorRequest.Weights(new(5), new(3), new(0), 0, Floats, 0), new BufferDestination(0, _buffer));
    }
}
