using Cllm.Actors.Channel;
using Cllm.Actors.Channel.Certificates;

namespace Cllm.Benchmarks.Channel;

/// <summary>A folder with an authority and one node's certificate, which both processes use; gone after the benchmark.</summary>
internal sealed class BenchmarkCertificates : IDisposable
{
    private const string Node = "node";

    public BenchmarkCertificates()
    {
        Folder = Directory.CreateTempSubdirectory("cllm-benchmark-").FullName;
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1), until = from.AddDays(1);
        using var authority = CertificateAuthority.Create("benchmark", from, until);
        authority.Write(Folder);
        using var certificate = authority.Issue(Node, [], from, until);
        CertificateFiles.WriteNode(Folder, Node, certificate);
    }

    public string Folder { get; }

    public ChannelTls Tls => TlsFrom(Folder);

    public static ChannelTls TlsFrom(string folder) => ChannelTls.IssuedBy(
        CertificateFiles.ReadNode(Path.Combine(folder, Node + ".pfx")),
        CertificateFiles.ReadAuthorities(Path.Combine(folder, CertificateAuthority.CertificateFile)));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
