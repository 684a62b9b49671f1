using Cllm.Model.Run;
using Cllm.Numerics.Kernels;

namespace Cllm.Model.Optimization;

/// <summary>The numbers one AdamW update needs beside the gradient, computed once a step, in double, by one rule.</summary>
public static class AdamWStep
{
    /// <summary>Rounds the scalars of a step to what the kernel uses.</summary>
    /// <param name="optimizer">The run's constants.</param>
    /// <param name="step">The step, counted from 0; Adam's own count is one more.</param>
    /// <param name="learningRate">This step's learning rate.</param>
    /// <param name="clipScale">Factor on the gradient, at most 1.</param>
    public static AdamWScalars Scalars(OptimizerConfiguration optimizer, long step, double learningRate, float clipScale) => new(
        clipScale,
        (float)optimizer.Beta1,
        (float)optimizer.Beta2,
        (float)learningRate,
        (float)optimizer.WeightDecay,
        (float)optimizer.Epsilon,
        Correction((float)optimizer.Beta1, step + 1),
        Correction((float)optimizer.Beta2, step + 1));

    /// <summary>Factor that brings a gradient of this norm to at most the clip; 1 when clipping is off.</summary>
    public static float ClipScale(OptimizerConfiguration optimizer, double norm) =>
        optimizer.GradientClip > 0 && norm > optimizer.GradientClip ? (float)(optimizer.GradientClip / norm) : 1f;

    /// <summary>1 / (1 - beta^updates), from the beta the kernel uses: of 1 - 0.999 the rounding to float is worth 1e-5.</summary>
    private static float Correction(float beta, long updates) => (float)(1 / (1 - Power(beta, updates)));

    /// <summary>x^n by repeated squaring: the same bits on every system, which the C library's pow does not promise.</summary>
    internal static double Power(double x, long n)
    {
        double result = 1;
        for (; n > 0; n >>= 1)
        {
            if ((n & 1) != 0)
            {
                result *= x;
            }

            x *= x;
        }

        return result;
    }
}
