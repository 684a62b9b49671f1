using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cllm.Model;

namespace Cllm.Actors.Channel.Certificates;

/// <summary>Certificates as files. Nothing is overwritten, and what holds a key can be read by its owner only (mode 0600).</summary>
public static class CertificateFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Everyone = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>
    /// Writes a node's certificate and key as <c>NAME.pfx</c>, which the program reads, and as <c>NAME.crt</c> and <c>NAME.key</c> in PEM
    /// for other ones.
    /// </summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="name">The files' name without ending.</param>
    /// <param name="certificate">With its private key.</param>
    /// <param name="password">Password of the .pfx file; none leaves it to the file's mode to protect the key.</param>
    /// <exception cref="InputException">A file is there already, or cannot be written.</exception>
    public static void WriteNode(string folder, string name, X509Certificate2 certificate, string? password = null)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        WriteSecret(Path.Combine(folder, name + ".key"), Text(key.ExportPkcs8PrivateKeyPem()));
        WriteSecret(Path.Combine(folder, name + ".pfx"), certificate.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password));
        Write(Path.Combine(folder, name + ".crt"), Text(certificate.ExportCertificatePem()));
    }

    /// <summary>Reads a node's certificate and key.</summary>
    /// <param name="path">A .pfx file.</param>
    /// <param name="password">Its password, if it has one.</param>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static X509Certificate2 ReadNode(string path, string? password = null) =>
        Read(path, () => X509CertificateLoader.LoadPkcs12FromFile(path, password));

    /// <summary>Reads the certificates of authorities.</summary>
    /// <param name="path">A PEM file with one or more certificates.</param>
    /// <exception cref="InputException">It cannot be read, or holds no certificate.</exception>
    public static X509Certificate2Collection ReadAuthorities(string path)
    {
        var authorities = new X509Certificate2Collection();
        Read(path, () =>
        {
            authorities.ImportFromPemFile(path);
            return authorities;
        });
        return authorities.Count > 0
            ? authorities
            : throw new InputException(
                $"The file '{path}' holds no certificate; give the authority's {CertificateAuthority.CertificateFile}.");
    }

    internal static byte[] Text(string pem) => Encoding.ASCII.GetBytes(pem + "\n");

    internal static void WriteSecret(string path, byte[] content) => Write(path, content, OwnerOnly);

    internal static void Write(string path, byte[] content) => Write(path, content, Everyone);

    private static void Write(string path, byte[] content, UnixFileMode mode)
    {
        // A name of its own, so that two who write the same file at once do not write into each other's.
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = mode;
            }

            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new InputException(
                File.Exists(path)
                    ? $"The file '{path}' is there already; remove it or choose another folder or name."
                    : $"The file '{path}' cannot be written: {failure.Message}",
                failure);
        }
    }

    private static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // A .pfx file that is not there fails as one that cannot be decrypted does.
            throw new InputException(
                File.Exists(path)
                    ? $"The certificate file '{path}' cannot be read ({failure.Message.TrimEnd('.')}); put one there that `cllm certificate` made."
                    : $"There is no certificate file '{path}'; check --tls, or make one with `cllm certificate`.",
                failure);
        }
    }
}
