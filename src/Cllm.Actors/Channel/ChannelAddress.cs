using System.Security.Cryptography;

namespace Cllm.Actors.Channel;

/// <summary>Where a node's channel is and what opens it. Exchanged in the cluster's messages; whoever has it may fetch.</summary>
/// <param name="Node">The node's number.</param>
/// <param name="Host">Name or address of its machine.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Credential">What <see cref="ChannelCredential.Draw"/> gave: 32 hexadecimal digits.</param>
public sealed record ChannelAddress(int Node, string Host, int Port, string Credential)
{
    /// <summary>The node, host and port: never the credential, for this goes into logs.</summary>
    public override string ToString() => $"node {Node} at {Host}:{Port}";
}

/// <summary>A node's secret: 128 random bits as 32 hexadecimal digits.</summary>
public static class ChannelCredential
{
    /// <summary>Bytes of a credential.</summary>
    public const int Bytes = 16;

    /// <summary>A new one, from the system's generator.</summary>
    public static string Draw() => RandomNumberGenerator.GetHexString(2 * Bytes, lowercase: true);

    /// <summary>The bytes of a credential.</summary>
    /// <exception cref="FormatException">It is not 32 hexadecimal digits.</exception>
    public static byte[] Parse(string credential)
    {
        var bytes = Convert.FromHexString(credential);
        return bytes.Length == Bytes ? bytes : throw new FormatException($"A credential has {2 * Bytes} digits, not {credential.Length}.");
    }
}
