using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>Causal scaled dot-product attention of one head over one row (Vaswani et al. 2017): softmax(q·kᵀ / √D)·v.</summary>
/// <remarks>
/// The packed activation qkv is (T, 3C): a token's queries of all heads, then keys, then values. Spans start at the head's first
/// channel in token 0. Memory grows with T, not its square. Every order of addition is fixed, so the bits are the same on every
/// machine, however heads and rows are spread over threads. Nothing is allocated.
/// </remarks>
public static unsafe class Attention
{
    /// <summary>The head's output and, per token, the logarithm of the sum of its exponentiated scores, which backward needs.</summary>
    /// <param name="tokens">T, tokens of the row.</param>
    /// <param name="headSize">D, channels of the head.</param>
    /// <param name="width">C, channels of all heads.</param>
    /// <param name="qkv">From the head's first query channel of token 0; tokens 3C apart, keys at +C, values at +2C.</param>
    /// <param name="output">(T, D) from the head's first channel of token 0; tokens C apart.</param>
    /// <param name="logSumExp">(T).</param>
    /// <param name="dropout">Dropout of the probabilities.</param>
    /// <param name="scratch">This thread's memory.</param>
    /// <exception cref="InvalidOperationException">A span is too short for the shape, or the scratch too small.</exception>
    public static void Forward(
        int tokens, int headSize, int width, ReadOnlySpan<float> qkv, Span<float> output, Span<float> logSumExp, AttentionDropout dropout,
        AttentionScratch scratch)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            ForwardOn<MatMulLanes512, Vector512<float>>(tokens, headSize, width, qkv, output, logSumExp, dropout, scratch);
        }
        else if (Vector256.IsHardwareAccelerated && Fma.IsSupported)
        {
            ForwardOn<MatMulLanes256, Vector256<float>>(tokens, headSize, width, qkv, output, logSumExp, dropout, scratch);
        }
        else
        {
            ForwardOn<MatMulLanes128, Vector128<float>>(tokens, headSize, width, qkv, output, logSumExp, dropout, scratch);
        }
    }

    /// <summary>
    /// The gradients of the head's queries, keys and values. Overwrites them; other heads' channels are left as they are.
    /// </summary>
    /// <param name="tokens">T, tokens of the row.</param>
    /// <param name="headSize">D, channels of the head.</param>
    /// <param name="width">C, channels of all heads.</param>
    /// <param name="qkv">As in <see cref="Forward"/>.</param>
    /// <param name="output">What <see cref="Forward"/> gave.</param>
    /// <param name="logSumExp">What <see cref="Forward"/> gave.</param>
    /// <param name="dOutput">Gradient of the output, addressed like it.</param>
    /// <param name="dQkv">Gradient of qkv, addressed like it.</param>
    /// <param name="dropout">The same as in <see cref="Forward"/>.</param>
    /// <param name="scratch">This thread's memory.</param>
    /// <exception cref="InvalidOperationException">A span is too short for the shape, or the scratch too small.</exception>
    public static void Backward(
        int tokens, int headSize, int width, ReadOnlySpan<float> qkv, ReadOnlySpan<float> output, ReadOnlySpan<float> logSumExp,
        ReadOnlySpan<float> dOutput, Span<float> dQkv, AttentionDropout dropout, AttentionScratch scratch)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            BackwardOn<MatMulLanes512, Vector512<float>>(tokens, headSize, width, qkv, output, logSumExp, dOutput, dQkv, dropout, scratch);
        }
        else if (Vector256.IsHardwareAccelerated && Fma.IsSupported)
        {
            BackwardOn<MatMulLanes256, Vector256<float>>(tokens, headSize, width, qkv, output, logSumExp, dOutput, dQkv, dropout, scratch);
        }
        else
        {
            BackwardOn<MatMulLanes128, Vector128<float>>(tokens, headSize, width, qkv, output, logSumExp, dOutput, dQkv, dropout, scratch);
        }
    }

    /// <summary>Forward at a given vector width, whether or not the hardware has it.</summary>
    internal static void ForwardOn<TLanes, TVector>(
        int tokens, int headSize, int width, ReadOnlySpan<float> qkv, Span<float> output, Span<float> logSumExp, AttentionDropout dropout,
        AttentionScratch scratch)
        where TLanes : IMatMulLanes<TVector>
        where TVector : struct
    {
        Check(tokens, headSize, width, qkv.Length, output.Length, logSumExp.Length, scratch);
        // The blocks see only addresses: the scratch must not be finalized while they run.
        fixed (float* x = qkv, y = output, l = logSumExp)
        {
            AttentionBlocks<TLanes, TVector>.Forward(tokens, headSize, width, x, y, l, dropout, scratch);
        }

        GC.KeepAlive(scratch);
    }

    /// <summary>Backward at a given vector width, whether or not the hardware has it.</summary>
    internal static void BackwardOn<TLanes, TVector>(
        int tokens, int headSize, int width, ReadOnlySpan<float> qkv, ReadOnlySpan<float> output, ReadOnlySpan<float> logSumExp,
        ReadOnlySpan<float> dOutput, Span<float> dQkv, AttentionDropout dropout, AttentionScratch scratch)
        where TLanes : IMatMulLanes<TVector>
        where TVector : struct
    {
        Check(tokens, headSize, width, qkv.Length, output.Length, logSumExp.Length, scratch);
        Check(tokens, headSize, width, dQkv.Length, dOutput.Length, logSumExp.Length, scratch);
        fixed (float* x = qkv, y = output, l = logSumExp, dy = dOutput, dx = dQkv)
        {
            AttentionBlocks<TLanes, TVector>.Backward(tokens, headSize, width, x, y, l, dy, dx, dropout, scratch);
        }

        GC.KeepAlive(scratch);
    }

    private static void Check(
        int tokens, int headSize, int width, int qkvLength, int outputLength, int logSumExpLength, AttentionScratch scratch)
    {
        if (tokens < 1 || tokens > scratch.TokensMax || headSize < 1 || headSize > scratch.HeadSizeMax || headSize > width)
        {
            throw new InvalidOperationException(
                $"A head of {headSize} in {width} channels over {tokens} tokens does not fit the scratch, made for heads of up to "
                + $"{scratch.HeadSizeMax} over up to {scratch.TokensMax} tokens.");
        }

        long last = tokens - 1L;
        if (qkvLength < (((3 * last) + 2) * width) + headSize || outputLength < (last * width) + headSize || logSumExpLength < tokens)
        {
            throw new InvalidOperationException(
                $"Spans of {qkvLength} (qkv), {outputLength} (output) and {logSumExpLength} (sums) floats are too short for "
                + $"{tokens} tokens of {width} channels.");
        }
    }
}
