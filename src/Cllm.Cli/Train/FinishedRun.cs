using Cllm.Cli.Commands;
using Cllm.Cli.Display;
using Cllm.Model.Compute;
using Cllm.Model.Feed;
using Cllm.Model.Files;
using Cllm.Model.Generation;
using Cllm.Model.HuggingFace;
using Cllm.Model.Run;
using Cllm.Model.Text;

namespace Cllm.Cli.Train;

/// <summary>What is done when a run has come to its end, in the process that coordinated it then: the model is written, and what has come of it is shown.</summary>
public sealed class FinishedRun
{
    private const int SampleTokens = 150;

    /// <summary>A character or a byte is about a quarter of a bpe token's text.</summary>
    private const int SampleCharacters = 600;

    /// <summary>The run's folder as the user named it.</summary>
    public required string Path { get; init; }

    /// <summary>Its full path.</summary>
    public required string FolderPath { get; init; }

    /// <summary>What the run computed.</summary>
    public required RunPlan Plan { get; init; }

    /// <summary>Weights and moments at the end.</summary>
    public required RunState State { get; init; }

    /// <summary>The tokenizer; null when the data were token ids.</summary>
    public required ITokenizer? Tokenizer { get; init; }

    /// <summary>All tokens.</summary>
    public required TokenFile Tokens { get; init; }

    /// <summary>Writes the model and shows what has come of the run.</summary>
    /// <param name="terminal">Where output goes.</param>
    /// <param name="loss">Loss of the last step; null when this part did none.</param>
    /// <param name="time">Time of this part's steps.</param>
    /// <param name="tokensPerSecond">Speed in it.</param>
    /// <exception cref="TrainingDivergedException">The model is of no use.</exception>
    public void Show(Terminal terminal, double? loss, TimeSpan time, double tokensPerSecond)
    {
        RunConfiguration run = Plan.Configuration;
        DataSplit split = RunRows.Split(run, Tokens);
        ReadOnlySpan<float> weights = State.Weights.Span;
        HuggingFaceFolder.Write(FolderPath, Plan.Layout, weights, Tokenizer?.Serialize());
        if (split.HeldOutCount > 0)
        {
            terminal.Say($"The model is written. Measuring its loss on all {Format.Count(split.HeldOutCount)} tokens held out …");
        }

        HeldOutLoss? heldOut = split.HeldOutCount == 0
            ? null
            : HeldOutLoss.Measure(run.Shape, weights, Tokenizer, Tokens, split.HeldOutFirst, split.HeldOutCount);
        if (heldOut is not null && !double.IsFinite(heldOut.Loss))
        {
            // No step follows in which the same would be noticed.
            throw new TrainingDivergedException(run.Steps, $"the loss on the text held out is {heldOut.Loss}");
        }

        var summary = new RunSummary
        {
            Path = Path,
            Steps = run.Steps,
            Loss = loss,
            HeldOut = heldOut,
            Time = time,
            TokensPerSecond = tokensPerSecond,
            Parameters = Plan.Layout.Parameters,
            Digest = Digest.Weights(Plan.Layout, weights),
        };
        terminal.Heading("Result");
        terminal.Table(summary.Rows());
        if (Tokenizer is { } tokenizer)
        {
            terminal.Heading("Sample");
            var sampler = new Sampler(run.Shape.Vocabulary, Sample.Temperature, 0, Sample.Seed);
            Sample.Write(Plan.Layout, State.Weights, tokenizer, "", tokenizer.Kind == "bpe" ? SampleTokens : SampleCharacters, sampler, terminal.Output);
            terminal.Say("");
            terminal.Say($"More of it: {summary.GenerateLine}");
        }
    }
}
