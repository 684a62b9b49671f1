using System.Security.Cryptography;
using Cllm.Model.Shape;

namespace Cllm.Model.Files;

/// <summary>
/// SHA-256 over parameters or optimizer state, in layout order, without padding, as little-endian floats: the bytes that a
/// safetensors file in that order holds behind its header. Lowercase hexadecimal.
/// </summary>
public static class Digest
{
    private const int BufferBytes = 1 << 20;

    /// <summary>The digest of the weights in a flat parameter vector.</summary>
    public static string Weights(ParameterLayout layout, ReadOnlySpan<float> flat)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, layout, flat);
        return Finish(hash);
    }

    /// <summary>The digest of Adam's state: all first moments, then all second moments.</summary>
    public static string Optimizer(ParameterLayout layout, ReadOnlySpan<float> m, ReadOnlySpan<float> v)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, layout, m);
        Append(hash, layout, v);
        return Finish(hash);
    }

    /// <summary>The digest of some bytes.</summary>
    public static string Bytes(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The digest of a file's bytes from <paramref name="start"/> on.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static string Of(IFileReader file, long start = 0)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Math.Min(BufferBytes, file.Length)];
        for (long offset = start; offset < file.Length; offset += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Length - offset));
            file.Read(offset, piece);
            hash.AppendData(piece);
        }

        return Finish(hash);
    }

    internal static string Finish(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset());

    private static void Append(IncrementalHash hash, ParameterLayout layout, ReadOnlySpan<float> flat)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(flat.Length, layout.Length);
        foreach (var tensor in layout.Tensors)
        {
            var rest = flat.Slice(tensor.Offset, tensor.Length);
            while (!rest.IsEmpty)
            {
                int count = Math.Min(rest.Length, FloatBytes.ChunkLength);
                hash.AppendData(FloatBytes.Of(rest[..count]));
                rest = rest[count..];
            }
        }
    }
}
