namespace Cllm.Model.Compute;

/// <summary>A number of the run became infinite or not a number: no later step could mend the weights.</summary>
public sealed class TrainingDivergedException : Exception
{
    private const string WhatToDo =
        "so training has diverged, and would again with --resume; start another run with a lower --lr, a longer --warmup or a smaller --grad-clip";

    /// <summary>The loss or the gradient of a step is no number.</summary>
    /// <param name="step">The step, from 0; people are told its number from 1, as progress counts.</param>
    /// <param name="scalars">Its scalars.</param>
    public TrainingDivergedException(long step, StepScalars scalars)
        : base($"in step {step + 1} the loss is {scalars.Loss} and the gradient's norm {scalars.GradientNorm}, {WhatToDo}.")
    {
    }

    /// <summary>What so many steps have made of the weights is of no use.</summary>
    /// <param name="steps">Steps done.</param>
    /// <param name="what">What shows it, a clause.</param>
    public TrainingDivergedException(long steps, string what)
        : base($"after step {steps} {what}, {WhatToDo}.")
    {
    }
}
