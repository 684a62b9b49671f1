namespace Cllm.Model.Shape;

/// <summary>The parameters of one GPT as named ranges of the flat vector, resolved once so that the hot path does no look-ups.</summary>
public sealed class GptTensors
{
    /// <summary>Resolves the tensors of a layout.</summary>
    public GptTensors(ParameterLayout layout)
    {
        TokenEmbedding = Range(layout, "wte.weight");
        PositionEmbedding = Range(layout, "wpe.weight");
        FinalGain = Range(layout, "ln_f.weight");
        FinalBias = Range(layout, "ln_f.bias");
        var layers = new LayerTensors[layout.Shape.Layers];
        for (int i = 0; i < layers.Length; i++)
        {
            layers[i] = new LayerTensors(
                Range(layout, $"h.{i}.ln_1.weight"),
                Range(layout, $"h.{i}.ln_1.bias"),
                Range(layout, $"h.{i}.attn.c_attn.weight"),
                Range(layout, $"h.{i}.attn.c_attn.bias"),
                Range(layout, $"h.{i}.attn.c_proj.weight"),
                Range(layout, $"h.{i}.attn.c_proj.bias"),
                Range(layout, $"h.{i}.ln_2.weight"),
                Range(layout, $"h.{i}.ln_2.bias"),
                Range(layout, $"h.{i}.mlp.c_fc.weight"),
                Range(layout, $"h.{i}.mlp.c_fc.bias"),
                Range(layout, $"h.{i}.mlp.c_proj.weight"),
                Range(layout, $"h.{i}.mlp.c_proj.bias"));
        }

        Layers = layers;
    }

    /// <summary>wte (V, C), also the output head.</summary>
    public ParameterRange TokenEmbedding { get; }

    /// <summary>wpe (T, C).</summary>
    public ParameterRange PositionEmbedding { get; }

    /// <summary>Gain of the final layer norm (C).</summary>
    public ParameterRange FinalGain { get; }

    /// <summary>Bias of the final layer norm (C).</summary>
    public ParameterRange FinalBias { get; }

    /// <summary>The blocks in order.</summary>
    public IReadOnlyList<LayerTensors> Layers { get; }

    private static ParameterRange Range(ParameterLayout layout, string name) => new(layout[name].Offset, layout[name].Length);
}

/// <summary>The parameters of one transformer block; weights are [in, out].</summary>
/// <param name="Gain1">First layer norm's gain (C).</param>
/// <param name="Bias1">First layer norm's bias (C).</param>
/// <param name="QkvWeight">c_attn (C, 3C).</param>
/// <param name="QkvBias">c_attn's bias (3C).</param>
/// <param name="ProjectionWeight">The attention's c_proj (C, C).</param>
/// <param name="ProjectionBias">Its bias (C).</param>
/// <param name="Gain2">Second layer norm's gain (C).</param>
/// <param name="Bias2">Second layer norm's bias (C).</param>
/// <param name="UpWeight">c_fc (C, 4C).</param>
/// <param name="UpBias">Its bias (4C).</param>
/// <param name="DownWeight">The MLP's c_proj (4C, C).</param>
/// <param name="DownBias">Its bias (C).</param>
public sealed record LayerTensors(
    ParameterRange Gain1,
    ParameterRange Bias1,
    ParameterRange QkvWeight,
    ParameterRange QkvBias,
    ParameterRange ProjectionWeight,
    ParameterRange ProjectionBias,
    ParameterRange Gain2,
    ParameterRange Bias2,
    ParameterRange UpWeight,
    ParameterRange UpBias,
    ParameterRange DownWeight,
    ParameterRange DownBias);
