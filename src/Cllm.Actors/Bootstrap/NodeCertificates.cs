using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cllm.Actors.Channel;
using Cllm.Model;

namespace Cllm.Actors.Bootstrap;

/// <summary>A folder with the certificate of a node and that of the authority that issued it; whoever shows one of the same authority may join the run.</summary>
public sealed class NodeCertificates
{
    /// <summary>The authority's certificate, PEM.</summary>
    public const string AuthorityName = "ca.crt";

    /// <summary>The authority's private key, PEM: issues more certificates, and no node needs it.</summary>
    public const string AuthorityKeyName = "ca.key";

    /// <summary>The node's certificate and private key, PKCS #12 without a password.</summary>
    public const string NodeName = "node.pfx";

    private const int Years = 10;
    private const int SerialBytes = 16;

    /// <summary>The clock of a machine that joins may be behind.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromDays(1);

    private NodeCertificates(X509Certificate2 own, X509Certificate2Collection authorities) =>
        (Own, Channel) = (own, ChannelTls.IssuedBy(own, authorities));

    /// <summary>This node's certificate, with its private key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>The same for the tensor channel.</summary>
    public ChannelTls Channel { get; }

    /// <summary>Whether a peer may join.</summary>
    public bool Trusts(X509Certificate2 other) => Channel.ObjectionTo(other) is null;

    /// <summary>Reads a folder.</summary>
    /// <exception cref="InputException">A file is missing, damaged or not readable.</exception>
    public static NodeCertificates Load(string folder)
    {
        var own = Read(Path.Combine(folder, NodeName), path => X509CertificateLoader.LoadPkcs12FromFile(path, password: null));
        var authority = Read(Path.Combine(folder, AuthorityName), X509CertificateLoader.LoadCertificateFromFile);
        var certificates = new NodeCertificates(own, [authority]);
        return certificates.Channel.ObjectionTo(own) is { } objection
            ? throw new InputException($"The certificate in {folder} cannot be used: {objection}; make new ones with `cllm certificate`.")
            : certificates;
    }

    /// <summary>Makes an authority, or takes the one that is in the folder, and has it issue a certificate.</summary>
    /// <param name="folder">New, empty, or one with an authority and no certificate of a node.</param>
    /// <param name="names">Names and addresses of the machines that the certificate is for; nobody checks them, for nodes come and go.</param>
    /// <exception cref="InputException">The folder has a certificate already, or its authority cannot be read.</exception>
    public static void Create(string folder, IReadOnlyList<string> names)
    {
        var node = Path.Combine(folder, NodeName);
        if (File.Exists(node))
        {
            throw new InputException($"{node} is there already; choose another --out, or remove it to have a new one issued by the same authority.");
        }

        Directory.CreateDirectory(folder);
        using var authority = File.Exists(Path.Combine(folder, AuthorityKeyName)) ? ReadAuthority(folder) : CreateAuthority(folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cllm node", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(Names(names));
        using var issued = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(SerialBytes));
        using var whole = issued.CopyWithPrivateKey(key);
        WriteSecret(node, whole.Export(X509ContentType.Pkcs12));
    }

    private static X509Certificate2 CreateAuthority(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=cllm authority {RandomNumberGenerator.GetHexString(8, lowercase: true)}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = DateTimeOffset.UtcNow;
        var authority = request.CreateSelfSigned(now - ClockTolerance, now.AddYears(Years));
        WriteSecret(Path.Combine(folder, AuthorityKeyName), System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
        File.WriteAllText(Path.Combine(folder, AuthorityName), authority.ExportCertificatePem() + "\n");
        return authority;
    }

    private static X509Certificate2 ReadAuthority(string folder) => Read(
        Path.Combine(folder, AuthorityName), path => X509Certificate2.CreateFromPemFile(path, Path.Combine(folder, AuthorityKeyName)));

    private static X509Extension Names(IReadOnlyList<string> names)
    {
        var all = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Append("localhost").Append("127.0.0.1").Distinct())
        {
            if (IPAddress.TryParse(name, out var address))
            {
                all.AddIpAddress(address);
            }
            else
            {
                all.AddDnsName(name);
            }
        }

        return all.Build();
    }

    /// <summary>Made so that nobody else can read it at any moment.</summary>
    private static void WriteSecret(string path, byte[] content)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(content);
    }

    private static X509Certificate2 Read(string path, Func<string, X509Certificate2> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new InputException(
                $"The certificate {path} cannot be read ({failure.Message.TrimEnd('.')}); make one with `cllm certificate --out {Path.GetDirectoryName(path)}`.", failure);
        }
    }
}
