using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Feed;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Model.Text;

namespace Cllm.Cli.Commands;

/// <summary>A model's loss over a text it has not seen: every token predicted once, in windows of a block.</summary>
/// <param name="Loss">Mean cross-entropy in nats per token.</param>
/// <param name="Tokens">Tokens predicted.</param>
/// <param name="Bytes">UTF-8 bytes of those tokens; 0 where there is no tokenizer to say.</param>
public sealed record HeldOutLoss(double Loss, long Tokens, long Bytes)
{
    /// <summary>How many tokens the model could equally well have chosen among.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>The loss in bits, per byte of the text instead of per token; null where there is no tokenizer.</summary>
    public double? BitsPerByte => Bytes == 0 ? null : Loss * Tokens / Math.Log(2) / Bytes;

    /// <summary>Measures it.</summary>
    /// <param name="shape">The model's shape.</param>
    /// <param name="weights">Its flat parameter vector.</param>
    /// <param name="tokenizer">Its tokenizer, or null.</param>
    /// <param name="file">The tokens.</param>
    /// <param name="first">Index of the first token of the text.</param>
    /// <param name="count">Tokens of the text.</param>
    /// <exception cref="InputException">The text is shorter than a block.</exception>
    public static HeldOutLoss Measure(
        GptShape shape, ReadOnlySpan<float> weights, ITokenizer? tokenizer, TokenFile file, long first, long count)
    {
        var rows = new HeldOutRows(file, first, count, shape.Block, 0);
        var plan = new TrainPlan
        {
            Batch = 1,
            Leaves = 1,
            Layers = shape.Layers,
            Heads = shape.Heads,
            Width = shape.Width,
            Block = shape.Block,
        };
        RunConfiguration configuration = plan.Configure(shape.Vocabulary, TrainPlan.TokenIds, "", "", "");
        var run = new RunPlan(configuration, static (_, _, _) => { }, rows.Count, rows.Read);
        using var state = new RunState(run.Layout);
        weights.CopyTo(state.Weights.Span);
        using var worker = new WorkerCompute(run, state, Environment.ProcessorCount, recompute: true);
        var losses = new double[run.EvaluationUnits];
        worker.Evaluate(0, 0, losses.Length, losses);
        return new HeldOutLoss(StepCombination.CombineEvaluation(run, losses), rows.PredictedTokens, BytesOf(tokenizer, rows, shape.Block));
    }

    private static long BytesOf(ITokenizer? tokenizer, HeldOutRows rows, int block)
    {
        long bytes = 0;
        if (tokenizer is not null)
        {
            var row = new int[block + 1];
            for (int i = 0; i < rows.Count; i++)
            {
                rows.Read(i, row);
                bytes += tokenizer.ByteCount(row.AsSpan(1));
            }
        }

        return bytes;
    }
}
