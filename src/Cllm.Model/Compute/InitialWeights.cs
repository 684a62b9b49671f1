using Cllm.Model.Shape;
using Cllm.Numerics.Random;

namespace Cllm.Model.Compute;

/// <summary>Weights before the first step, drawn as GPT-2's are: a pure function of the seed and the shape.</summary>
/// <remarks>
/// GPT-2 (Radford et al. 2019) draws from N(0, 0.02²) at a width of 768. What a layer passes on grows with deviation * sqrt(width), so other
/// widths keep that product: at width 128 the deviation is 0.049. With 0.02 there, the first few hundred steps go into growing the weights;
/// on 1 MB of plays a model of that width is after 700 of 2,000 steps where it otherwise is after 1,100.
/// </remarks>
public static class InitialWeights
{
    private const float Deviation = 0.02f;
    private const float DeviationWidth = 768;

    /// <summary>
    /// Fills the vector: embeddings and weights from N(0, s²) with s = 0.02 * sqrt(768 / width), projections back into the residual stream from
    /// N(0, s² / 2L), gains 1, biases 0.
    /// </summary>
    /// <param name="layout">The layout.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="weights">The flat vector.</param>
    public static void Draw(ParameterLayout layout, ulong seed, Span<float> weights)
    {
        float plain = Deviation * MathF.Sqrt(DeviationWidth / layout.Shape.Width);
        float residual = plain / MathF.Sqrt(2f * layout.Shape.Layers);
        weights[..layout.Length].Clear();
        for (int i = 0; i < layout.Tensors.Count; i++)
        {
            TensorSpec tensor = layout.Tensors[i];
            Span<float> values = weights.Slice(tensor.Offset, tensor.Length);
            if (tensor.Decays)
            {
                float deviation = tensor.Name.EndsWith("c_proj.weight", StringComparison.Ordinal) ? residual : plain;
                Philox.Normal(values, seed, (uint)i, deviation);
            }
            else if (tensor.Name.EndsWith(".weight", StringComparison.Ordinal))
            {
                values.Fill(1f);
            }
        }
    }
}
