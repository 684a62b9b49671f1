using System.Numerics;
using Cllm.Model.Corpus;

namespace Cllm.Model.Feed;

/// <summary>
/// A keyed permutation of the numbers 0 to n - 1, computed for one number at a time: a balanced Feistel network over the next even
/// number of bits, walked until the value lies below n (Black and Rogaway 2002). Integers only; at most four walks on average.
/// </summary>
internal readonly struct WindowPermutation
{
    private const int Rounds = 6;

    private readonly ulong _count;
    private readonly ulong _key;
    private readonly int _halfBits;

    /// <summary>The permutation of <paramref name="count"/> numbers (at least 1) under a key.</summary>
    public WindowPermutation(long count, ulong key)
    {
        _count = (ulong)count;
        _key = key;
        _halfBits = (BitOperations.Log2(_count - 1 | 1) + 2) / 2;
    }

    /// <summary>Where <paramref name="index"/> goes.</summary>
    public long this[long index]
    {
        get
        {
            ulong value = (ulong)index;
            do
            {
                value = Encrypt(value);
            }
            while (value >= _count);
            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        ulong mask = (1UL << _halfBits) - 1;
        ulong left = value >> _halfBits;
        ulong right = value & mask;
        for (int round = 0; round < Rounds; round++)
        {
            ulong mixed = SplitMix64.Mix(_key ^ right ^ ((ulong)round << 56));
            (left, right) = (right, left ^ (mixed & mask));
        }

        return left << _halfBits | right;
    }
}
