using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;

namespace Cllm.Tests.Numerics;

internal delegate void MatMulProduct(
    MatMulForm form, int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int ldc,
    MatMulStart start, ReadOnlySpan<float> bias, MatMulScratch scratch);

/// <summary>Random operands of one product, with gaps between rows, and the plain loop over them.</summary>
internal sealed record Operands
{
    public Operands(MatMulForm form, MatMulStart start, int m, int n, int k, int gap)
    {
        (Form, Start, M, N, K) = (form, start, m, n, k);
        Lda = (form == MatMulForm.TN ? m : k) + gap;
        Ldb = (form == MatMulForm.NT ? k : n) + (2 * gap);
        Ldc = n + gap;
        var random = new System.Random((m * 7919) + (n * 104729) + k);
        A = Fill(random, ((form == MatMulForm.TN ? k : m) * Lda) - gap);
        B = Fill(random, ((form == MatMulForm.NT ? n : k) * Ldb) - (2 * gap));
        C = Fill(random, (m * Ldc) - gap);
        Bias = start == MatMulStart.Bias ? Fill(random, n) : [];
    }

    public MatMulForm Form { get; }

    public MatMulStart Start { get; }

    public int M { get; }

    public int N { get; }

    public int K { get; }

    public int Lda { get; }

    public int Ldb { get; }

    public int Ldc { get; }

    public float[] A { get; }

    public float[] B { get; }

    public float[] C { get; }

    public float[] Bias { get; }

    public override string ToString() => $"{Form} {Start} {M} x {N} x {K}, rows {Lda}, {Ldb}, {Ldc} apart";

    public float[] Run(MatMulProduct product, MatMulScratch scratch)
    {
        float[] c = [.. C];
        product(Form, M, N, K, A, Lda, B, Ldb, c, Ldc, Start, Bias, scratch);
        return c;
    }

    /// <summary>
    /// One accumulator an element, k ascending, one rounding a term: what every kernel must equal bit for bit, gaps untouched.
    /// </summary>
    public float[] PlainLoop()
    {
        float[] c = [.. C];
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                float sum = Start == MatMulStart.Zero ? 0f : Start == MatMulStart.Bias ? Bias[j] : c[(i * Ldc) + j];
                for (int t = 0; t < K; t++)
                {
                    float a = Form == MatMulForm.TN ? A[(t * Lda) + i] : A[(i * Lda) + t];
                    float b = Form == MatMulForm.NT ? B[(j * Ldb) + t] : B[(t * Ldb) + j];
                    sum = MathF.FusedMultiplyAdd(a, b, sum);
                }

                c[(i * Ldc) + j] = sum;
            }
        }

        return c;
    }

    /// <summary>The double twin's result; for operands without gaps.</summary>
    public double[] Twin()
    {
        double[] a = Array.ConvertAll(A, x => (double)x), b = Array.ConvertAll(B, x => (double)x);
        double[] c = Array.ConvertAll(C, x => (double)x), bias = Array.ConvertAll(Bias, x => (double)x);
        switch (Form)
        {
            case MatMulForm.NN: ReferenceMatMul.NN(M, N, K, a, b, c, Start, bias); break;
            case MatMulForm.NT: ReferenceMatMul.NT(M, N, K, a, b, c, Start, bias); break;
            default: ReferenceMatMul.TN(M, N, K, a, b, c, Start, bias); break;
        }

        return c;
    }

    private static float[] Fill(System.Random random, int length)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = (2 * random.NextSingle()) - 1;
        }

        return values;
    }
}
