using System.Security.Cryptography.X509Certificates;
using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Certificates;
using Cllm.Model;
using Cllm.Model.Files;

namespace Cllm.Actors.Bootstrap;

/// <summary>The folder that --tls names: a node's certificate and that of the authority that issued it. Whoever shows one of the same authority may join.</summary>
public sealed class NodeCertificates
{
    /// <summary>Name of the node's files without ending; the .pfx of them is what a node reads.</summary>
    public const string NodeName = "node";

    private const int Years = 10;

    /// <summary>The clock of a machine that joins may be behind.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromDays(1);

    private NodeCertificates(X509Certificate2 own, X509Certificate2Collection authorities) =>
        (Own, Channel) = (own, ChannelTls.IssuedBy(own, authorities));

    /// <summary>This node's certificate, with its private key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>The same for the tensor channel.</summary>
    public ChannelTls Channel { get; }

    /// <summary>What speaks against a peer, as the second half of a sentence; none when it may join.</summary>
    public string? ObjectionTo(X509Certificate2? other) => Channel.ObjectionTo(other);

    /// <summary>Reads a folder.</summary>
    /// <exception cref="InputException">A file is missing, damaged or not readable.</exception>
    public static NodeCertificates Load(string folder)
    {
        var own = CertificateFiles.ReadNode(Path.Combine(folder, NodeName + ".pfx"));
        var certificates = new NodeCertificates(own, CertificateFiles.ReadAuthorities(Path.Combine(folder, CertificateAuthority.CertificateFile)));
        return certificates.Channel.ObjectionTo(own) is { } objection
            ? throw new InputException($"The certificate in {folder} cannot be used: {objection}; make new ones with `cllm certificate`.")
            : certificates;
    }

    /// <summary>Makes an authority, or takes the one that is in the folder, and has it issue a certificate.</summary>
    /// <param name="folder">New, empty, or one with an authority and no certificate of a node.</param>
    /// <param name="hosts">Names and addresses of the machines that the certificate is for.</param>
    /// <exception cref="InputException">The folder cannot be made, has a certificate already, or its authority cannot be read; or a host is none.</exception>
    public static void Create(string folder, IReadOnlyCollection<string> hosts)
    {
        if (hosts.FirstOrDefault(host => Uri.CheckHostName(host) == UriHostNameType.Unknown) is { } stranger)
        {
            throw new InputException($"--name is '{stranger}' and must be the name or the address of a machine.");
        }

        NamedFolder.Make(folder, "--out");
        var (from, until) = (DateTimeOffset.UtcNow - ClockTolerance, DateTimeOffset.UtcNow.AddYears(Years));
        var isNew = !File.Exists(Path.Combine(folder, CertificateAuthority.KeyFile));
        using var authority = isNew ? CertificateAuthority.Create("cllm authority", from, until) : CertificateAuthority.Open(folder);
        if (isNew)
        {
            authority.Write(folder);
        }

        using var node = authority.Issue("cllm node", hosts, from, until);
        CertificateFiles.WriteNode(folder, NodeName, node);
    }
}
