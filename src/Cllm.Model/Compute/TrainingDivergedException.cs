namespace Cllm.Model.Compute;

/// <summary>Loss or gradient became infinite or not a number: no later step could mend the weights.</summary>
public sealed class TrainingDivergedException(long step, StepScalars scalars) : Exception(
    $"Step {step} has loss {scalars.Loss} and gradient norm {scalars.GradientNorm}, so training has diverged and stops before it spoils the weights; "
    + "start again with a lower --lr, a longer --warmup or a --grad-clip.");
