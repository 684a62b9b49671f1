using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>Products of row-major matrices with leading dimensions: c = start + op(a)·op(b), with m rows, n columns and k terms.</summary>
/// <remarks>
/// Each output element has one accumulator, starting as <see cref="MatMulStart"/> says, to which its k terms are added in ascending order
/// by fused multiply-add. The result therefore has the same bits at every vector width and blocking, however a caller cuts the rows
/// and columns of c over threads. 2mnk floating-point operations; a, b and c must not overlap. Nothing is allocated.
/// </remarks>
public static unsafe class MatMul
{
    /// <summary>c(m, n) = start + a(m, k)·b(k, n).</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">(m, k), rows <paramref name="lda"/> apart.</param>
    /// <param name="lda">Floats from a row of a to the next.</param>
    /// <param name="b">(k, n), rows <paramref name="ldb"/> apart.</param>
    /// <param name="ldb">Floats from a row of b to the next.</param>
    /// <param name="c">(m, n), rows <paramref name="ldc"/> apart; floats between rows are left as they are.</param>
    /// <param name="ldc">Floats from a row of c to the next.</param>
    /// <param name="start">What the sums start at.</param>
    /// <param name="bias">n floats for <see cref="MatMulStart.Bias"/>, else empty.</param>
    /// <param name="scratch">This thread's packing memory.</param>
    /// <exception cref="InvalidOperationException">
    /// A span is too short for the shape, or a leading dimension smaller than a row.
    /// </exception>
    public static void NN(
        int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int ldc, MatMulStart start,
        ReadOnlySpan<float> bias, MatMulScratch scratch) =>
        Product(MatMulForm.NN, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch);

    /// <summary>c(m, n) = start + a(m, k)·b(n, k)ᵀ; parameters as in <see cref="NN"/>.</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">(m, k), rows <paramref name="lda"/> apart.</param>
    /// <param name="lda">Floats from a row of a to the next.</param>
    /// <param name="b">(n, k), rows <paramref name="ldb"/> apart.</param>
    /// <param name="ldb">Floats from a row of b to the next.</param>
    /// <param name="c">(m, n), rows <paramref name="ldc"/> apart; floats between rows are left as they are.</param>
    /// <param name="ldc">Floats from a row of c to the next.</param>
    /// <param name="start">What the sums start at.</param>
    /// <param name="bias">n floats for <see cref="MatMulStart.Bias"/>, else empty.</param>
    /// <param name="scratch">This thread's packing memory.</param>
    /// <exception cref="InvalidOperationException">
    /// A span is too short for the shape, or a leading dimension smaller than a row.
    /// </exception>
    public static void NT(
        int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int ldc, MatMulStart start,
        ReadOnlySpan<float> bias, MatMulScratch scratch) =>
        Product(MatMulForm.NT, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch);

    /// <summary>c(m, n) = start + a(k, m)ᵀ·b(k, n); parameters as in <see cref="NN"/>.</summary>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">(k, m), rows <paramref name="lda"/> apart.</param>
    /// <param name="lda">Floats from a row of a to the next.</param>
    /// <param name="b">(k, n), rows <paramref name="ldb"/> apart.</param>
    /// <param name="ldb">Floats from a row of b to the next.</param>
    /// <param name="c">(m, n), rows <paramref name="ldc"/> apart; floats between rows are left as they are.</param>
    /// <param name="ldc">Floats from a row of c to the next.</param>
    /// <param name="start">What the sums start at.</param>
    /// <param name="bias">n floats for <see cref="MatMulStart.Bias"/>, else empty.</param>
    /// <param name="scratch">This thread's packing memory.</param>
    /// <exception cref="InvalidOperationException">
    /// A span is too short for the shape, or a leading dimension smaller than a row.
    /// </exception>
    public static void TN(
        int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int ldc, MatMulStart start,
        ReadOnlySpan<float> bias, MatMulScratch scratch) =>
        Product(MatMulForm.TN, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch);

    private static void Product(
        MatMulForm form, int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int ldc,
        MatMulStart start, ReadOnlySpan<float> bias, MatMulScratch scratch)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            On<MatMulLanes512, Vector512<float>>(form, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch);
        }
        else if (Vector256.IsHardwareAccelerated && Fma.IsSupported)
        {
            On<MatMulLanes256, Vector256<float>>(form, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch);
        }
        else
        {
            On<MatMulLanes128, Vector128<float>>(form, m, n, k, a, lda, b, ldb, c, ldc, start, bias, scratch);
        }
    }

    /// <summary>The product at a given vector width, whether or not the hardware has it.</summary>
    internal static void On<TLanes, TVector>(
        MatMulForm form, int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int ldc,
        MatMulStart start, ReadOnlySpan<float> bias, MatMulScratch scratch)
        where TLanes : IMatMulLanes<TVector>
        where TVector : struct
    {
        if (m == 0 || n == 0)
        {
            return;
        }

        Check("a", a.Length, lda, form == MatMulForm.TN ? k : m, form == MatMulForm.TN ? m : k);
        Check("b", b.Length, ldb, form == MatMulForm.NT ? n : k, form == MatMulForm.NT ? k : n);
        Check("c", c.Length, ldc, m, n);
        if (start == MatMulStart.Bias)
        {
            Check("bias", bias.Length, n, 1, n);
        }

        fixed (float* aFirst = a, bFirst = b, cFirst = c, biasFirst = bias)
        {
            MatMulBlocked<TLanes, TVector>.Product(form, m, n, k, aFirst, lda, bFirst, ldb, cFirst, ldc, start, biasFirst, scratch);
        }

        // The blocks see only addresses: the scratch must not be finalized while they run.
        GC.KeepAlive(scratch);
    }

    private static void Check(string name, int length, int leading, int rows, int columns)
    {
        if (columns < 1 || rows < 1 || leading < columns || length < ((rows - 1) * (long)leading) + columns)
        {
            throw new InvalidOperationException(
                $"Matrix {name} of a product has {length} floats with rows {leading} apart, which does not hold {rows} x {columns}.");
        }
    }
}
