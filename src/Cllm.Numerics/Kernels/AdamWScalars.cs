namespace Cllm.Numerics.Kernels;

/// <summary>What one step's AdamW update needs besides the tensors; computed once a step, by one rule, in double, then rounded.</summary>
/// <param name="ClipScale">The gradient is multiplied by this first: 1, or less where its global norm is clipped.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="WeightDecay">Decoupled weight decay, multiplied by the learning rate.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="FirstCorrection">1 / (1 - Beta1^t), t = 1 at the first update, from Beta1 as rounded to float.</param>
/// <param name="SecondCorrection">1 / (1 - Beta2^t), from Beta2 as rounded to float: 1 - Beta2 feels the rounding.</param>
public readonly record struct AdamWScalars(
    float ClipScale, float Beta1, float Beta2, float LearningRate, float WeightDecay, float Epsilon, float FirstCorrection,
    float SecondCorrection);
