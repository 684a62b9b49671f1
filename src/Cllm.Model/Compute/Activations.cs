using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Compute;

/// <summary>
/// What one forward pass leaves for its backward pass, for up to N = rows * T tokens, and the gradients that flow back through it.
/// Allocated once per worker.
/// </summary>
internal sealed class Activations : IDisposable
{
    /// <summary>Logits are computed for at most this many numbers at a time (64 MiB), so their buffer does not grow with the batch.</summary>
    private const int LogitsMax = 16 * 1024 * 1024;

    private readonly BufferArena _memory;

    /// <summary>Allocates for leaves of up to so many rows.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="rowsMax">Most rows of a leaf or of an evaluation unit.</param>
    /// <param name="isRecomputed">
    /// Whether all blocks share the memory of one, but for their inputs: the backward pass then computes each block's activations again.
    /// </param>
    /// <param name="isMeasuredOnly">Whether only <see cref="Bytes"/> is wanted, and no memory.</param>
    public Activations(GptShape shape, int rowsMax, bool isRecomputed, bool isMeasuredOnly = false)
    {
        _memory = new BufferArena(isMeasuredOnly);
        Rows = rowsMax;
        IsRecomputed = isRecomputed;
        int N = checked(rowsMax * shape.Block), C = shape.Width;
        LogitsStride = (shape.Vocabulary + 15) / 16 * 16;
        LogitsRows = Math.Clamp(LogitsMax / LogitsStride, Math.Min(N, 16), N);
        Layers = new LayerActivations[shape.Layers];
        for (int i = 0; i < Layers.Length; i++)
        {
            if (isRecomputed && i > 0)
            {
                Layers[i] = Layers[0].WithInput(_memory.Take((long)N * C));
                continue;
            }

            Layers[i] = new LayerActivations
            {
                Input = _memory.Take((long)N * C),
                Normed1 = _memory.Take((long)N * C),
                Mean1 = _memory.Take(N),
                Rstd1 = _memory.Take(N),
                Qkv = _memory.Take((long)N * 3 * C),
                LogSumExp = _memory.Take((long)N * shape.Heads),
                Attended = _memory.Take((long)N * C),
                Middle = _memory.Take((long)N * C),
                Normed2 = _memory.Take((long)N * C),
                Mean2 = _memory.Take(N),
                Rstd2 = _memory.Take(N),
                Up = _memory.Take((long)N * 4 * C),
                Activated = _memory.Take((long)N * 4 * C),
            };
        }

        Output = _memory.Take((long)N * C);
        Normed = _memory.Take((long)N * C);
        Mean = _memory.Take(N);
        Rstd = _memory.Take(N);
        Branch = _memory.Take((long)N * C);
        Logits = _memory.Take((long)LogitsRows * LogitsStride);
        Losses = _memory.Take(N);
        Gradients = [_memory.Take((long)N * C), _memory.Take((long)N * C)];
        GradientMiddle = _memory.Take((long)N * C);
        GradientBranch = _memory.Take((long)N * C);
        GradientMiddleBranch = _memory.Take((long)N * C);
        GradientUp = _memory.Take((long)N * 4 * C);
        GradientNormed = _memory.Take((long)N * C);
        GradientNormed2 = _memory.Take((long)N * C);
        GradientQkv = _memory.Take((long)N * 3 * C);
        GradientAttended = _memory.Take((long)N * C);
    }

    public int Rows { get; }

    /// <summary>Whether only the last block's activations are there when the backward pass begins, and the inputs of the others.</summary>
    public bool IsRecomputed { get; }

    public int LogitsStride { get; }

    /// <summary>Tokens whose logits are computed at a time.</summary>
    public int LogitsRows { get; }

    public LayerActivations[] Layers { get; }

    /// <summary>Residual stream behind the last block (N, C).</summary>
    public AlignedBuffer Output { get; }

    /// <summary>Final layer norm (N, C).</summary>
    public AlignedBuffer Normed { get; }

    public AlignedBuffer Mean { get; }

    public AlignedBuffer Rstd { get; }

    /// <summary>What a block's branch adds to the residual stream (N, C).</summary>
    public AlignedBuffer Branch { get; }

    /// <summary>Logits, then their gradient (LogitsRows, LogitsStride).</summary>
    public AlignedBuffer Logits { get; }

    /// <summary>Loss of each token (N).</summary>
    public AlignedBuffer Losses { get; }

    /// <summary>Gradient of the residual stream behind the present block and before it (N, C); blocks take turns.</summary>
    public AlignedBuffer[] Gradients { get; }

    /// <summary>Gradient of the residual stream between attention and MLP (N, C).</summary>
    public AlignedBuffer GradientMiddle { get; }

    /// <summary>Gradient behind the block through the dropout of the MLP's branch (N, C).</summary>
    public AlignedBuffer GradientBranch { get; }

    /// <summary><see cref="GradientMiddle"/> through the dropout of the attention's branch (N, C).</summary>
    public AlignedBuffer GradientMiddleBranch { get; }

    /// <summary>Gradient before GELU (N, 4C).</summary>
    public AlignedBuffer GradientUp { get; }

    /// <summary>Gradient of the first layer norm's output, and of the final one's (N, C).</summary>
    public AlignedBuffer GradientNormed { get; }

    /// <summary>Gradient of the second layer norm's output (N, C).</summary>
    public AlignedBuffer GradientNormed2 { get; }

    /// <summary>Gradient of query, key and value (N, 3C).</summary>
    public AlignedBuffer GradientQkv { get; }

    /// <summary>Gradient of the attention's output (N, C).</summary>
    public AlignedBuffer GradientAttended { get; }

    public long Bytes => _memory.Bytes;

    public void Dispose() => _memory.Dispose();
}

/// <summary>What one transformer block keeps between forward and backward; N tokens.</summary>
internal sealed class LayerActivations
{
    /// <summary>Residual stream before the block (N, C).</summary>
    public required AlignedBuffer Input { get; init; }

    public required AlignedBuffer Normed1 { get; init; }

    public required AlignedBuffer Mean1 { get; init; }

    public required AlignedBuffer Rstd1 { get; init; }

    /// <summary>Query, key, value side by side (N, 3C).</summary>
    public required AlignedBuffer Qkv { get; init; }

    /// <summary>Per row and head the logarithm of each query's softmax denominator (rows, H, T).</summary>
    public required AlignedBuffer LogSumExp { get; init; }

    /// <summary>Attention's output before its projection (N, C).</summary>
    public required AlignedBuffer Attended { get; init; }

    /// <summary>Residual stream between attention and MLP (N, C).</summary>
    public required AlignedBuffer Middle { get; init; }

    public required AlignedBuffer Normed2 { get; init; }

    public required AlignedBuffer Mean2 { get; init; }

    public required AlignedBuffer Rstd2 { get; init; }

    /// <summary>Before GELU (N, 4C).</summary>
    public required AlignedBuffer Up { get; init; }

    /// <summary>After GELU (N, 4C).</summary>
    public required AlignedBuffer Activated { get; init; }

    /// <summary>Another block in the same memory, with an input of its own.</summary>
    public LayerActivations WithInput(AlignedBuffer input) => new()
    {
        Input = input,
        Normed1 = Normed1,
        Mean1 = Mean1,
        Rstd1 = Rstd1,
        Qkv = Qkv,
        LogSumExp = LogSumExp,
        Attended = Attended,
        Middle = Middle,
        Normed2 = Normed2,
        Mean2 = Mean2,
        Rstd2 = Rstd2,
        Up = Up,
        Activated = Activated,
    };
}
