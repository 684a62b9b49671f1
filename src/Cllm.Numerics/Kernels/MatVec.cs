using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>Products of one row with a matrix, which read the matrix once, in the order in which it lies: what generating a token is made of.</summary>
/// <remarks>2nk operations on 4nk bytes: bound by memory. Callers cut the n outputs over threads; no sum is ever split.</remarks>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class MatVec
{
    /// <summary>Rows added together: each sum is loaded and stored once for so many terms.</summary>
    private const int Together = 4;

    /// <summary>
    /// y(n) = bias(n) + x(k)·b(k, n). One accumulator for each output, terms in ascending k: the same bits as <see cref="MatMul.NN"/> with one row.
    /// </summary>
    /// <param name="n">Columns computed.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="x">(k).</param>
    /// <param name="b">(k, n), rows <paramref name="ldb"/> apart.</param>
    /// <param name="ldb">Floats from a row of b to the next.</param>
    /// <param name="bias">(n), what the sums start at.</param>
    /// <param name="y">(n); may be the bias, must not overlap the others.</param>
    /// <exception cref="ArgumentOutOfRangeException">A span is too short for the shape.</exception>
    public static void NN(int n, int k, ReadOnlySpan<float> x, ReadOnlySpan<float> b, int ldb, ReadOnlySpan<float> bias, Span<float> y)
    {
        y = y[..n];
        bias[..n].CopyTo(y);
        int i = 0;
        for (; i <= k - Together; i += Together)
        {
            int row = i * ldb;
            AddRows(x.Slice(i, Together), b.Slice(row, n), b.Slice(row + ldb, n), b.Slice(row + (2 * ldb), n), b.Slice(row + (3 * ldb), n), ldb, y);
        }

        for (; i < k; i++)
        {
            AddRow(x[i], b.Slice(i * ldb, n), y);
        }
    }

    /// <summary>y(n) = b(n, k)·x(k). Each output is a dot product over 16 lanes and one fold, as everywhere where a row is summed.</summary>
    /// <param name="n">Rows of b.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="x">(k).</param>
    /// <param name="b">(n, k), rows <paramref name="ldb"/> apart.</param>
    /// <param name="ldb">Floats from a row of b to the next.</param>
    /// <param name="y">(n).</param>
    /// <exception cref="ArgumentOutOfRangeException">A span is too short for the shape.</exception>
    public static void NT(int n, int k, ReadOnlySpan<float> x, ReadOnlySpan<float> b, int ldb, Span<float> y)
    {
        x = x[..k];
        for (int i = 0; i < n; i++)
        {
            y[i] = Dot(x, b.Slice(i * ldb, k));
        }
    }

    /// <summary>
    /// Adds four rows. Meanwhile the next four are fetched, one after the other as they lie: to the processor's own prefetcher, which follows long streams and
    /// brings one core twice what its own misses can, four rows side by side are four short ones.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(
        ReadOnlySpan<float> x,
        ReadOnlySpan<float> b0,
        ReadOnlySpan<float> b1,
        ReadOnlySpan<float> b2,
        ReadOnlySpan<float> b3,
        int ldb,
        Span<float> y)
    {
        ref float r0 = ref MemoryMarshal.GetReference(b0);
        ref float r1 = ref MemoryMarshal.GetReference(b1);
        ref float r2 = ref MemoryMarshal.GetReference(b2);
        ref float r3 = ref MemoryMarshal.GetReference(b3);
        ref float to = ref MemoryMarshal.GetReference(y);
        Vector512<float> x0 = Vector512.Create(x[0]), x1 = Vector512.Create(x[1]), x2 = Vector512.Create(x[2]), x3 = Vector512.Create(x[3]);
        ref float next = ref Unsafe.Add(ref r3, ldb);
        int ahead = 0;
        int i = 0;
        for (; i <= y.Length - Lanes.Count; i += Lanes.Count)
        {
            FetchFourLines(ref Unsafe.Add(ref next, ahead));
            ahead += Together * Lanes.Count;
            if (ahead >= y.Length)
            {
                ahead = 0;
                next = ref Unsafe.Add(ref next, ldb);
            }

            var sum = Vector512.FusedMultiplyAdd(x0, Vector512.LoadUnsafe(ref r0, (nuint)i), Vector512.LoadUnsafe(ref to, (nuint)i));
            sum = Vector512.FusedMultiplyAdd(x1, Vector512.LoadUnsafe(ref r1, (nuint)i), sum);
            sum = Vector512.FusedMultiplyAdd(x2, Vector512.LoadUnsafe(ref r2, (nuint)i), sum);
            sum = Vector512.FusedMultiplyAdd(x3, Vector512.LoadUnsafe(ref r3, (nuint)i), sum);
            sum.StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < y.Length; i++)
        {
            float sum = MathF.FusedMultiplyAdd(x[0], b0[i], y[i]);
            sum = MathF.FusedMultiplyAdd(x[1], b1[i], sum);
            sum = MathF.FusedMultiplyAdd(x[2], b2[i], sum);
            y[i] = MathF.FusedMultiplyAdd(x[3], b3[i], sum);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(float x, ReadOnlySpan<float> b, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = MathF.FusedMultiplyAdd(x, b[i], y[i]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> b)
    {
        ref float terms = ref MemoryMarshal.GetReference(x);
        ref float row = ref MemoryMarshal.GetReference(b);
        var sum = Vector512<float>.Zero;
        int i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            sum = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref terms, (nuint)i), Vector512.LoadUnsafe(ref row, (nuint)i), sum);
        }

        if (i < x.Length)
        {
            var last = Lanes.LoadFirst(ref Unsafe.Add(ref row, i), x.Length - i);
            sum = Vector512.FusedMultiplyAdd(Lanes.LoadFirst(ref Unsafe.Add(ref terms, i), x.Length - i), last, sum);
        }

        return Lanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void FetchFourLines(ref float at)
    {
        if (Sse.IsSupported)
        {
            float* line = (float*)Unsafe.AsPointer(ref at);
            Sse.Prefetch1(line);
            Sse.Prefetch1(line + 16);
            Sse.Prefetch1(line + 32);
            Sse.Prefetch1(line + 48);
        }
    }
}
