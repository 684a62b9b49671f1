namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twins of <see cref="Kernels.Softmax"/> and <see cref="Kernels.CrossEntropy"/>.</summary>
public static class ReferenceSoftmax
{
    /// <summary>y[i] = exp(x[i]) / sum of exp(x[j]).</summary>
    public static void Forward(ReadOnlySpan<double> x, Span<double> y)
    {
        var logOfSum = LogSumExp(x);
        for (var i = 0; i < x.Length; i++)
        {
            y[i] = Math.Exp(x[i] - logOfSum);
        }
    }

    /// <summary>log of the sum of exp(x[i]).</summary>
    public static double LogSumExp(ReadOnlySpan<double> x)
    {
        var largest = double.NegativeInfinity;
        foreach (var number in x)
        {
            largest = Math.Max(largest, number);
        }

        var sum = 0.0;
        foreach (var number in x)
        {
            sum += Math.Exp(number - largest);
        }

        return largest + Math.Log(sum);
    }

    /// <summary>losses[r] = log of the sum of exp(logits[r]) - logits[r, target] for (rows, vocabulary), in nats.</summary>
    public static void CrossEntropy(int rows, int vocabulary, ReadOnlySpan<double> logits, ReadOnlySpan<int> targets, Span<double> losses)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = logits.Slice(r * vocabulary, vocabulary);
            losses[r] = LogSumExp(row) - row[targets[r]];
        }
    }

    /// <summary>dLogits = scale * (softmax - onehot(target)), (rows, vocabulary), overwritten.</summary>
    public static void CrossEntropyBackward(
        int rows, int vocabulary, ReadOnlySpan<double> logits, ReadOnlySpan<int> targets, double scale, Span<double> dLogits)
    {
        for (var r = 0; r < rows; r++)
        {
            var gradient = dLogits.Slice(r * vocabulary, vocabulary);
            Forward(logits.Slice(r * vocabulary, vocabulary), gradient);
            gradient[targets[r]] -= 1;
            for (var c = 0; c < vocabulary; c++)
            {
                gradient[c] *= scale;
            }
        }
    }
}
