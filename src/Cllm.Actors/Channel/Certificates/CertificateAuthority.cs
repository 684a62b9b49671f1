using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cllm.Model;

namespace Cllm.Actors.Channel.Certificates;

/// <summary>A cluster's own certificate authority: whoever has a certificate of it may join, so its key belongs on no node.</summary>
/// <remarks>
/// Keys are ECDSA on P-256. A node's certificate serves for calling and for being called, on tensor channel and remoting.
/// </remarks>
public sealed class CertificateAuthority : IDisposable
{
    /// <summary>Name of the authority's certificate in its folder.</summary>
    public const string CertificateFile = "ca.crt";

    /// <summary>Name of the authority's key in its folder.</summary>
    public const string KeyFile = "ca.key";

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>The authority's certificate; with its key, which nobody but this class needs.</summary>
    public X509Certificate2 Certificate => _certificate;

    /// <summary>Makes a new authority.</summary>
    /// <param name="name">Its common name.</param>
    /// <param name="from">When it begins to be valid; an hour before now, for clocks that differ.</param>
    /// <param name="until">When it ends.</param>
    public static CertificateAuthority Create(string name, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Named(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return new(request.CreateSelfSigned(from, until));
    }

    /// <summary>Reads an authority that was written by <see cref="Write"/>.</summary>
    /// <param name="folder">Its folder.</param>
    /// <exception cref="InputException">There is none, or its files cannot be read.</exception>
    public static CertificateAuthority Open(string folder)
    {
        try
        {
            return new(X509Certificate2.CreateFromPemFile(Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile)));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InputException(
                $"The certificate authority in '{folder}' cannot be read from {CertificateFile} and {KeyFile}: {failure.Message}",
                failure);
        }
    }

    /// <summary>Writes <see cref="CertificateFile"/>, for every node, and <see cref="KeyFile"/>, which only its owner can read.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="InputException">There is an authority already, or the files cannot be written.</exception>
    public void Write(string folder)
    {
        using var key = _certificate.GetECDsaPrivateKey()!;
        CertificateFiles.WriteSecret(Path.Combine(folder, KeyFile), CertificateFiles.Text(key.ExportPkcs8PrivateKeyPem()));
        CertificateFiles.Write(Path.Combine(folder, CertificateFile), CertificateFiles.Text(_certificate.ExportCertificatePem()));
    }

    /// <summary>Issues a node's certificate, with a new key.</summary>
    /// <param name="name">Its common name.</param>
    /// <param name="hosts">Names and addresses of its machines; nodes do not check them, other programs may.</param>
    /// <param name="from">When it begins to be valid; not before the authority.</param>
    /// <param name="until">When it ends; not after the authority.</param>
    public X509Certificate2 Issue(string name, IEnumerable<string> hosts, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Named(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication), new Oid(ClientAuthentication)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        request.CertificateExtensions.Add(Hosts(hosts));
        DateTimeOffset earliest = _certificate.NotBefore, latest = _certificate.NotAfter;
        using var certificate = request.Create(
            _certificate, from < earliest ? earliest : from, until > latest ? latest : until, RandomNumberGenerator.GetBytes(16));
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose() => _certificate.Dispose();

    private static X500DistinguishedName Named(string name)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(name);
        return builder.Build();
    }

    private static X509Extension Hosts(IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        return names.Build();
    }
}
