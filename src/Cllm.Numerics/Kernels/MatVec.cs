using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>Products of one row with a matrix, which read the matrix once, in the order in which it lies: what generating a token is made of.</summary>
/// <remarks>2nk operations on 4nk bytes: bound by memory. Callers cut the n outputs over threads; no sum is ever split.</remarks>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class MatVec
{
    /// <summary>Rows of the matrix worked on together: streams that the hardware can prefetch side by side, and sums that hide each other's latency.</summary>
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
            AddRows(x.Slice(i, Together), b.Slice(row, n), b.Slice(row + ldb, n), b.Slice(row + (2 * ldb), n), b.Slice(row + (3 * ldb), n), y);
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
        int i = 0;
        for (; i <= n - Together; i += Together)
        {
            int row = i * ldb;
            Dots(x, b.Slice(row, k), b.Slice(row + ldb, k), b.Slice(row + (2 * ldb), k), b.Slice(row + (3 * ldb), k), y.Slice(i, Together));
        }

        for (; i < n; i++)
        {
            ReadOnlySpan<float> row = b.Slice(i * ldb, k);
            y[i] = Dot(x, row);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(
        ReadOnlySpan<float> x, ReadOnlySpan<float> b0, ReadOnlySpan<float> b1, ReadOnlySpan<float> b2, ReadOnlySpan<float> b3, Span<float> y)
    {
        ref float r0 = ref MemoryMarshal.GetReference(b0);
        ref float r1 = ref MemoryMarshal.GetReference(b1);
        ref float r2 = ref MemoryMarshal.GetReference(b2);
        ref float r3 = ref MemoryMarshal.GetReference(b3);
        ref float to = ref MemoryMarshal.GetReference(y);
        Vector512<float> x0 = Vector512.Create(x[0]), x1 = Vector512.Create(x[1]), x2 = Vector512.Create(x[2]), x3 = Vector512.Create(x[3]);
        int i = 0;
        for (; i <= y.Length - Lanes.Count; i += Lanes.Count)
        {
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
    private static void Dots(
        ReadOnlySpan<float> x, ReadOnlySpan<float> b0, ReadOnlySpan<float> b1, ReadOnlySpan<float> b2, ReadOnlySpan<float> b3, Span<float> y)
    {
        ref float terms = ref MemoryMarshal.GetReference(x);
        ref float r0 = ref MemoryMarshal.GetReference(b0);
        ref float r1 = ref MemoryMarshal.GetReference(b1);
        ref float r2 = ref MemoryMarshal.GetReference(b2);
        ref float r3 = ref MemoryMarshal.GetReference(b3);
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        int i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            var term = Vector512.LoadUnsafe(ref terms, (nuint)i);
            s0 = Vector512.FusedMultiplyAdd(term, Vector512.LoadUnsafe(ref r0, (nuint)i), s0);
            s1 = Vector512.FusedMultiplyAdd(term, Vector512.LoadUnsafe(ref r1, (nuint)i), s1);
            s2 = Vector512.FusedMultiplyAdd(term, Vector512.LoadUnsafe(ref r2, (nuint)i), s2);
            s3 = Vector512.FusedMultiplyAdd(term, Vector512.LoadUnsafe(ref r3, (nuint)i), s3);
        }

        if (i < x.Length)
        {
            int left = x.Length - i;
            var term = Lanes.LoadFirst(ref Unsafe.Add(ref terms, i), left);
            s0 = Vector512.FusedMultiplyAdd(term, Lanes.LoadFirst(ref Unsafe.Add(ref r0, i), left), s0);
            s1 = Vector512.FusedMultiplyAdd(term, Lanes.LoadFirst(ref Unsafe.Add(ref r1, i), left), s1);
            s2 = Vector512.FusedMultiplyAdd(term, Lanes.LoadFirst(ref Unsafe.Add(ref r2, i), left), s2);
            s3 = Vector512.FusedMultiplyAdd(term, Lanes.LoadFirst(ref Unsafe.Add(ref r3, i), left), s3);
        }

        y[3] = Lanes.Sum(s3);
        y[2] = Lanes.Sum(s2);
        y[1] = Lanes.Sum(s1);
        y[0] = Lanes.Sum(s0);
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
}
