using System.Security.Cryptography;
using System.Text;

namespace Cllm.Actors.Channel;

/// <summary>Who a process is on the channel. Two that do not work on the same run exchange nothing.</summary>
public sealed class ChannelIdentity
{
    private readonly byte[] _run;

    /// <summary>Names the process.</summary>
    /// <param name="node">Its node's number.</param>
    /// <param name="run">What names the run, such as the digests of configuration and tokenizer: any text, equal at all nodes.</param>
    public ChannelIdentity(int node, string run)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(node);
        Node = node;
        _run = SHA256.HashData(Encoding.UTF8.GetBytes(run));
    }

    /// <summary>The node's number.</summary>
    public int Node { get; }

    /// <summary>Digest of the run, 32 bytes.</summary>
    internal ReadOnlySpan<byte> Run => _run;
}
