using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Cllm.Actors.Channel;

/// <summary>
/// TLS with a certificate on both sides. Each is accepted for who issued it, or because it is pinned, and never for the name of its host:
/// nodes come and go on whatever machines there are.
/// </summary>
public sealed class ChannelTls
{
    private const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private readonly SslStreamCertificateContext _own;
    private readonly X509Certificate2Collection _authorities;
    private readonly HashSet<string> _pins;

    private ChannelTls(X509Certificate2 own, X509Certificate2Collection authorities, IEnumerable<string> pins)
    {
        if (!own.HasPrivateKey)
        {
            throw new Model.InputException(
                $"The certificate {own.Subject} has no private key beside it; give the node's .pfx file, which holds both.");
        }

        _own = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
        (_authorities, _pins) = (authorities, new(pins, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Accepts everybody whose certificate one of the authorities has issued.</summary>
    /// <param name="own">This node's certificate with its private key.</param>
    /// <param name="authorities">The authorities' certificates.</param>
    public static ChannelTls IssuedBy(X509Certificate2 own, X509Certificate2Collection authorities) => new(own, authorities, []);

    /// <summary>Accepts exactly some certificates.</summary>
    /// <param name="own">This node's certificate with its private key.</param>
    /// <param name="sha256">SHA-256 of the accepted certificates, in hexadecimal digits.</param>
    public static ChannelTls Pinned(X509Certificate2 own, params string[] sha256) => new(own, [], sha256);

    /// <summary>What speaks against a certificate, as the second half of a sentence; none when it is accepted.</summary>
    /// <param name="other">The other side's certificate, if it showed one.</param>
    internal string? ObjectionTo(X509Certificate? other)
    {
        if (other is not X509Certificate2 certificate)
        {
            return "it showed no certificate";
        }

        var now = DateTime.Now;
        if (now > certificate.NotAfter || now < certificate.NotBefore)
        {
            return $"its certificate {certificate.Subject} is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}"
                + $" and it is {now:u} here";
        }

        if (_pins.Count > 0)
        {
            return _pins.Contains(certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256))
                ? null
                : $"its certificate {certificate.Subject} is none of the pinned ones";
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate)
            ? null
            : $"its certificate {certificate.Subject} was issued by {certificate.Issuer} and not by an authority that is trusted here";
    }

    /// <summary>Options of the side that is called.</summary>
    /// <param name="objection">Told what speaks against the caller's certificate.</param>
    internal SslServerAuthenticationOptions ForServer(Action<string> objection) => new()
    {
        ServerCertificateContext = _own,
        ClientCertificateRequired = true,
        EnabledSslProtocols = Protocols,
        AllowRenegotiation = false,
        AllowTlsResume = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = (_, other, _, _) => Judge(other, objection),
    };

    /// <summary>Options of the side that calls.</summary>
    /// <param name="host">The name it calls, for the other side's choice of certificate.</param>
    /// <param name="objection">Told what speaks against the called one's certificate.</param>
    internal SslClientAuthenticationOptions ForClient(string host, Action<string> objection) => new()
    {
        TargetHost = host,
        ClientCertificateContext = _own,
        EnabledSslProtocols = Protocols,
        AllowRenegotiation = false,
        AllowTlsResume = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = (_, other, _, _) => Judge(other, objection),
    };

    private bool Judge(X509Certificate? other, Action<string> objection)
    {
        if (ObjectionTo(other) is not { } reason)
        {
            return true;
        }

        objection(reason);
        return false;
    }
}
