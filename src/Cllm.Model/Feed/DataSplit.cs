namespace Cllm.Model.Feed;

/// <summary>Which tokens are trained on and which are held out: the first part and the rest.</summary>
/// <param name="TrainingCount">Tokens to train on, [0, TrainingCount).</param>
/// <param name="HeldOutCount">Tokens held out, behind them; 0 is none.</param>
public sealed record DataSplit(long TrainingCount, long HeldOutCount)
{
    /// <summary>Index of the first token held out.</summary>
    public long HeldOutFirst => TrainingCount;

    /// <summary>Cuts the data: the first floor(tokens * (1 - fraction)) tokens are trained on.</summary>
    /// <param name="tokens">Tokens of the whole data.</param>
    /// <param name="validationFraction">Share held out: 0 up to, not including, 1.</param>
    /// <param name="block">T: each part needs T + 1 tokens, inputs and the last one's target.</param>
    /// <exception cref="InputException">The fraction is out of range, or a part is too short.</exception>
    public static DataSplit Create(long tokens, double validationFraction, int block)
    {
        if (validationFraction is not (>= 0 and < 1))
        {
            throw new InputException($"--val-fraction is {validationFraction} and must be at least 0 and below 1, such as 0.1.");
        }

        long training = (long)(tokens * (1 - validationFraction));
        var split = new DataSplit(training, tokens - training);
        if (split.TrainingCount <= block)
        {
            throw new InputException(
                $"The training part has {split.TrainingCount} of {tokens} tokens and a block of {block} needs {block + 1L};"
                + " use more data, a smaller --block, or a smaller --val-fraction.");
        }

        if (validationFraction > 0 && split.HeldOutCount <= block)
        {
            throw new InputException(
                $"The held-out part has {split.HeldOutCount} of {tokens} tokens and a block of {block} needs {block + 1L};"
                + " use more data, a smaller --block, a larger --val-fraction, or --val-fraction 0 to hold out nothing.");
        }

        return split;
    }
}
