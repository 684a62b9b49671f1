namespace Cllm.Model.Shape;

/// <summary>Where each tensor of a GPT lies in the one flat parameter vector, and how that vector is cut into shards.</summary>
/// <remarks>
/// Gradients, both Adam moments and the weights share this layout. Between tensors lie up to 15 zeros of padding; their gradient is
/// zero for ever, so they stay zero. The order of <see cref="Tensors"/> is the order in which a digest reads them.
/// </remarks>
public sealed class ParameterLayout
{
    /// <summary>Numbers per norm block: the gradient's squared norm is summed within these, and shards are cut between them.</summary>
    public const int NormBlock = 16384;

    private const int CacheLine = 16;

    private readonly List<TensorSpec> _tensors = [];
    private readonly Dictionary<string, TensorSpec> _byName = [];

    /// <summary>Lays out the parameters of <paramref name="shape"/>.</summary>
    public ParameterLayout(GptShape shape)
    {
        Shape = shape;
        int C = shape.Width;
        Add("wte.weight", shape.Vocabulary, C);
        Add("wpe.weight", shape.Block, C);
        for (int i = 0; i < shape.Layers; i++)
        {
            Add($"h.{i}.ln_1.weight", C);
            Add($"h.{i}.ln_1.bias", C);
            Add($"h.{i}.attn.c_attn.weight", C, 3 * C);
            Add($"h.{i}.attn.c_attn.bias", 3 * C);
            Add($"h.{i}.attn.c_proj.weight", C, C);
            Add($"h.{i}.attn.c_proj.bias", C);
            Add($"h.{i}.ln_2.weight", C);
            Add($"h.{i}.ln_2.bias", C);
            Add($"h.{i}.mlp.c_fc.weight", C, 4 * C);
            Add($"h.{i}.mlp.c_fc.bias", 4 * C);
            Add($"h.{i}.mlp.c_proj.weight", 4 * C, C);
            Add($"h.{i}.mlp.c_proj.bias", C);
        }

        Add("ln_f.weight", C);
        Add("ln_f.bias", C);
    }

    /// <summary>The model's shape.</summary>
    public GptShape Shape { get; }

    /// <summary>All tensors in layout order.</summary>
    public IReadOnlyList<TensorSpec> Tensors => _tensors;

    /// <summary>Length of the flat vector in numbers, padding included.</summary>
    public int Length { get; private set; }

    /// <summary>Number of parameters, padding not included.</summary>
    public long Parameters => _tensors.Sum(t => (long)t.Length);

    /// <summary>Number of norm blocks, the last one perhaps shorter.</summary>
    public int NormBlocks => (Length + NormBlock - 1) / NormBlock;

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public TensorSpec this[string name] => _byName[name];

    /// <summary>
    /// Cuts the vector into at most <paramref name="count"/> shards of whole norm blocks, as even as possible; fewer when there are
    /// fewer blocks. No result of training depends on the number.
    /// </summary>
    public IReadOnlyList<ParameterRange> Shards(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        int shards = Math.Min(count, NormBlocks);
        var ranges = new ParameterRange[shards];
        for (int i = 0; i < shards; i++)
        {
            int start = (int)((long)NormBlocks * i / shards) * NormBlock;
            int end = Math.Min((int)((long)NormBlocks * (i + 1) / shards) * NormBlock, Length);
            ranges[i] = new ParameterRange(start, end - start);
        }

        return ranges;
    }

    private void Add(string name, params int[] dimensions)
    {
        var tensor = new TensorSpec(name, Length, dimensions);
        _tensors.Add(tensor);
        _byName.Add(name, tensor);
        Length = checked((Length + tensor.Length + CacheLine - 1) / CacheLine * CacheLine);
    }
}

/// <summary>A contiguous range of the flat parameter vector.</summary>
/// <param name="Offset">Index of its first number.</param>
/// <param name="Length">How many numbers.</param>
public readonly record struct ParameterRange(int Offset, int Length)
{
    /// <summary>Index behind its last number.</summary>
    public int End => Offset + Length;
}
