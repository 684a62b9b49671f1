using Cllm.Numerics.Kernels;

namespace Cllm.Numerics.Reference;

/// <summary>
/// <see cref="Attention"/> as plain loops in double precision, with the whole matrix of probabilities and an explicit mask.
/// </summary>
public static class ReferenceAttention
{
    /// <summary>Output of one head: probabilities times mask times values.</summary>
    /// <param name="tokens">T.</param>
    /// <param name="headSize">D.</param>
    /// <param name="width">C.</param>
    /// <param name="qkv">As in <see cref="Attention.Forward"/>.</param>
    /// <param name="mask">(T, T) factors of the probabilities: 1 without dropout, else 0 or 1 / (1 - rate).</param>
    /// <param name="output">As in <see cref="Attention.Forward"/>.</param>
    public static void Forward(
        int tokens, int headSize, int width, ReadOnlySpan<double> qkv, ReadOnlySpan<double> mask, Span<double> output)
    {
        double[] p = Probabilities(tokens, headSize, width, qkv);
        for (int i = 0; i < tokens; i++)
        {
            for (int d = 0; d < headSize; d++)
            {
                double sum = 0;
                for (int j = 0; j <= i; j++)
                {
                    sum += p[(i * tokens) + j] * mask[(i * tokens) + j] * qkv[(((3 * j) + 2) * width) + d];
                }

                output[(i * width) + d] = sum;
            }
        }
    }

    /// <summary>Gradients of queries, keys and values of one head.</summary>
    /// <param name="tokens">T.</param>
    /// <param name="headSize">D.</param>
    /// <param name="width">C.</param>
    /// <param name="qkv">As in <see cref="Attention.Forward"/>.</param>
    /// <param name="mask">As in <see cref="Forward"/>.</param>
    /// <param name="dOutput">Gradient of the output.</param>
    /// <param name="dQkv">Gradient of qkv; the head's channels are overwritten.</param>
    public static void Backward(
        int tokens, int headSize, int width, ReadOnlySpan<double> qkv, ReadOnlySpan<double> mask, ReadOnlySpan<double> dOutput,
        Span<double> dQkv)
    {
        double[] p = Probabilities(tokens, headSize, width, qkv);
        double[] dp = new double[tokens];
        for (int i = 0; i < 3 * tokens; i++)
        {
            dQkv.Slice(i * width, headSize).Clear();
        }

        for (int i = 0; i < tokens; i++)
        {
            double mean = 0;
            for (int j = 0; j <= i; j++)
            {
                double m = mask[(i * tokens) + j];
                dp[j] = 0;
                for (int d = 0; d < headSize; d++)
                {
                    dp[j] += m * dOutput[(i * width) + d] * qkv[(((3 * j) + 2) * width) + d];
                    dQkv[(((3 * j) + 2) * width) + d] += p[(i * tokens) + j] * m * dOutput[(i * width) + d];
                }

                mean += p[(i * tokens) + j] * dp[j];
            }

            for (int j = 0; j <= i; j++)
            {
                double ds = p[(i * tokens) + j] * (dp[j] - mean) / Math.Sqrt(headSize);
                for (int d = 0; d < headSize; d++)
                {
                    dQkv[(3 * i * width) + d] += ds * qkv[(((3 * j) + 1) * width) + d];
                    dQkv[(((3 * j) + 1) * width) + d] += ds * qkv[(3 * i * width) + d];
                }
            }
        }
    }

    private static double[] Probabilities(int tokens, int headSize, int width, ReadOnlySpan<double> qkv)
    {
        var p = new double[tokens * tokens];
        for (int i = 0; i < tokens; i++)
        {
            double sum = 0;
            for (int j = 0; j <= i; j++)
            {
                double score = 0;
                for (int d = 0; d < headSize; d++)
                {
                    score += qkv[(3 * i * width) + d] * qkv[(((3 * j) + 1) * width) + d];
                }

                p[(i * tokens) + j] = Math.Exp(score / Math.Sqrt(headSize));
                sum += p[(i * tokens) + j];
            }

            for (int j = 0; j <= i; j++)
            {
                p[(i * tokens) + j] /= sum;
            }
        }

        return p;
    }
}
