namespace Cllm.Numerics.Kernels;

/// <summary>
/// Cross-entropy of softmax against one right answer per row: loss = log(sum of exp(logits)) - logits[target], with the largest logit
/// subtracted first. Three passes over a row (two without the gradient), which at vocabulary 50257 stays in the second-level cache.
/// </summary>
public static class CrossEntropy
{
    /// <summary>Losses, and the logits replaced by their gradient: scale * (softmax - onehot(target)).</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">V, logits per row.</param>
    /// <param name="stride">Distance between the starts of rows; what lies behind the first V numbers of a row is left alone.</param>
    /// <param name="logits">(rows, V), rows <paramref name="stride"/> apart.</param>
    /// <param name="targets">(rows) token ids.</param>
    /// <param name="scale">Factor of the gradient: usually 1 / number of tokens in the global batch.</param>
    /// <param name="losses">(rows), in nats, not scaled; the same bits as from <see cref="Forward"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A target lies outside the vocabulary.</exception>
    public static void ForwardBackward(
        int rows, int vocabulary, int stride, Span<float> logits, ReadOnlySpan<int> targets, float scale, Span<float> losses)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = logits.Slice(r * stride, vocabulary);
            var target = Target(targets[r], vocabulary);
            var largest = Softmax.Largest(row);
            var gap = largest - row[target];
            var sum = Softmax.Exponentials(row, largest, row);
            losses[r] = VectorMath.Log(sum) + gap;
            Elementwise.Map(new ScaleOperator(scale / sum), row, row);
            row[target] -= scale;
        }
    }

    /// <summary>Losses only; the logits stay.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="vocabulary">V, logits per row.</param>
    /// <param name="stride">Distance between the starts of rows.</param>
    /// <param name="logits">(rows, V), rows <paramref name="stride"/> apart.</param>
    /// <param name="targets">(rows) token ids.</param>
    /// <param name="losses">(rows), in nats.</param>
    /// <exception cref="ArgumentOutOfRangeException">A target lies outside the vocabulary.</exception>
    public static void Forward(
        int rows, int vocabulary, int stride, ReadOnlySpan<float> logits, ReadOnlySpan<int> targets, Span<float> losses)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = logits.Slice(r * stride, vocabulary);
            var target = Target(targets[r], vocabulary);
            var largest = Softmax.Largest(row);
            losses[r] = VectorMath.Log(Softmax.SumOfExponentials(row, largest)) + (largest - row[target]);
        }
    }

    private static int Target(int target, int vocabulary) =>
        (uint)target < (uint)vocabulary
            ? target
            : throw new ArgumentOutOfRangeException(nameof(target), target, $"A target must be a token id below {vocabulary}.");
}
