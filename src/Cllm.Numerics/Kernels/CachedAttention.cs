using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>Attention of one new token over the keys and values of all tokens up to it: one step of generation.</summary>
/// <remarks>Reads each key and value once, 8 * D bytes a token and head, for 4 * D flops: bound by memory.</remarks>
public static class CachedAttention
{
    /// <summary>output = softmax(query · keysᵀ / sqrt(D)) · values, for one head.</summary>
    /// <param name="tokens">Cached tokens, the new one included.</param>
    /// <param name="headSize">D.</param>
    /// <param name="width">Distance between tokens in the caches.</param>
    /// <param name="query">(D).</param>
    /// <param name="keys">Keys, starting at this head of token 0: (tokens, D) with stride <paramref name="width"/>.</param>
    /// <param name="values">Values, laid out likewise.</param>
    /// <param name="scores">Room for <paramref name="tokens"/> numbers.</param>
    /// <param name="output">(D).</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Forward(
        int tokens,
        int headSize,
        int width,
        ReadOnlySpan<float> query,
        ReadOnlySpan<float> keys,
        ReadOnlySpan<float> values,
        Span<float> scores,
        Span<float> output)
    {
        float scale = 1f / MathF.Sqrt(headSize);
        for (int i = 0; i < tokens; i++)
        {
            scores[i] = scale * Dot(query[..headSize], keys.Slice(i * width, headSize));
        }

        Softmax.Forward(scores[..tokens], scores);
        output[..headSize].Clear();
        for (int i = 0; i < tokens; i++)
        {
            AddScaled(scores[i], values.Slice(i * width, headSize), output);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ref float a = ref MemoryMarshal.GetReference(x);
        ref float b = ref MemoryMarshal.GetReference(y);
        var sum = Vector512<float>.Zero;
        int i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            sum = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref a, (nuint)i), Vector512.LoadUnsafe(ref b, (nuint)i), sum);
        }

        if (i < x.Length)
        {
            var last = Lanes.LoadFirst(ref Unsafe.Add(ref b, i), x.Length - i);
            sum = Vector512.FusedMultiplyAdd(Lanes.LoadFirst(ref Unsafe.Add(ref a, i), x.Length - i), last, sum);
        }

        return Lanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(float factor, ReadOnlySpan<float> x, Span<float> y)
    {
        ref float a = ref MemoryMarshal.GetReference(x);
        ref float b = ref MemoryMarshal.GetReference(y);
        var f = Vector512.Create(factor);
        int i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            var sum = Vector512.FusedMultiplyAdd(f, Vector512.LoadUnsafe(ref a, (nuint)i), Vector512.LoadUnsafe(ref b, (nuint)i));
            sum.StoreUnsafe(ref b, (nuint)i);
        }

        for (; i < x.Length; i++)
        {
            y[i] = MathF.FusedMultiplyAdd(factor, x[i], y[i]);
        }
    }
}
