namespace Cllm.Model.Run;

/// <summary>One line of metrics.jsonl.</summary>
/// <param name="Step">The step, counted from 0.</param>
/// <param name="Loss">Mean cross-entropy over the global batch, in nats per token.</param>
/// <param name="GradientNorm">Global norm of the gradient, before clipping.</param>
/// <param name="LearningRate">The learning rate used.</param>
/// <param name="TokensPerSecond">Tokens of the global batch over the step's time.</param>
/// <param name="Milliseconds">The step's time.</param>
/// <param name="ValidationLoss">Mean cross-entropy on held-out rows, if this step was followed by an evaluation.</param>
/// <param name="Digest">SHA-256 of the weights after this step, if a checkpoint or the end followed.</param>
public readonly record struct StepMetrics(
    long Step,
    double Loss,
    double GradientNorm,
    double LearningRate,
    double TokensPerSecond,
    double Milliseconds,
    double? ValidationLoss = null,
    string? Digest = null);
