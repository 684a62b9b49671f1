using Cllm.Numerics.Kernels;

namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twin of <see cref="AdamW"/>, in the words of Loshchilov and Hutter's algorithm 2.</summary>
public static class ReferenceAdamW
{
    /// <summary>One update of weights and both moments, all of the same length.</summary>
    public static void Update(
        Span<double> weights, Span<double> m, Span<double> v, ReadOnlySpan<double> gradient, in AdamWScalars s, bool decay)
    {
        double rate = s.LearningRate;
        for (var i = 0; i < weights.Length; i++)
        {
            var g = s.ClipScale * gradient[i];
            m[i] = s.Beta1 * m[i] + (1 - (double)s.Beta1) * g;
            v[i] = s.Beta2 * v[i] + (1 - (double)s.Beta2) * g * g;
            if (decay)
            {
                weights[i] -= rate * s.WeightDecay * weights[i];
            }

            weights[i] -= rate * (m[i] * s.FirstCorrection) / (Math.Sqrt(v[i] * s.SecondCorrection) + s.Epsilon);
        }
    }
}
