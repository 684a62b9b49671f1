namespace Cllm.Model.Compute;

/// <summary>What a step needs besides gradients, the same for every shard.</summary>
/// <param name="Loss">Mean loss over the global batch, before the update.</param>
/// <param name="GradientNorm">Norm of the whole gradient, before the clip.</param>
/// <param name="LearningRate">Learning rate of the step.</param>
/// <param name="ClipScale">What every gradient element is multiplied by; 1 where the norm is within the clip.</param>
public readonly record struct StepScalars(double Loss, double GradientNorm, double LearningRate, float ClipScale);
