using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cllm.Tests.Numerics;

/// <summary>One SHA-256 over everything the kernels compute from fixed input: equal in two processes exactly if all bits are.</summary>
internal static class KernelDigest
{
    /// <summary>The digest in lower-case hexadecimal digits.</summary>
    public static string Compute()
    {
        using var hash = new HashingSink();
        foreach (var width in new[] { 1, 15, 16, 17, 24, 77, 768, 1000 })
        {
            new AllKernels(width).Run(hash);
        }

        return hash.Digest();
    }

    private sealed class HashingSink : IResultSink, IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public void Show(ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<float> third)
        {
            _hash.AppendData(MemoryMarshal.AsBytes(first));
            _hash.AppendData(MemoryMarshal.AsBytes(second));
            _hash.AppendData(MemoryMarshal.AsBytes(third));
        }

        public void Show(ReadOnlySpan<float> floats, ReadOnlySpan<double> doubles)
        {
            _hash.AppendData(MemoryMarshal.AsBytes(floats));
            _hash.AppendData(MemoryMarshal.AsBytes(doubles));
        }

        public string Digest() => Convert.ToHexStringLower(_hash.GetHashAndReset());

        public void Dispose() => _hash.Dispose();
    }
}
