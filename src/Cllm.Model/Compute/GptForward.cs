using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Compute;

/// <summary>
/// The forward pass of a GPT-2 block stack (Radford et al. 2019) over rows of T tokens: fills the activations.
/// A team's members each take a contiguous range of the N = rows * T tokens; only attention looks across tokens, so there is one
/// barrier before it and one behind it per layer.
/// </summary>
internal sealed class GptForward(GptShape shape, GptTensors tensors, Activations activations, MatMulScratch[] scratch, AttentionScratch[] attention)
    : ITeamProgram
{
    private const float Epsilon = 1e-5f;

    /// <summary>The weights to use (layout of the flat vector).</summary>
    public required AlignedBuffer Weights { get; init; }

    /// <summary>The rows to work on.</summary>
    public required LeafTokens Tokens { get; init; }

    /// <summary>Dropout of this pass.</summary>
    public DropoutPlan Dropout { get; set; }

    /// <inheritdoc/>
    public void Run(ThreadTeam team, int member)
    {
        var range = team.Part(member, Tokens.Count);
        Embed(range.First, range.Count);
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            AttentionInput(layer, range.First, range.Count, member);
            team.Barrier();
            Attend(layer, team, member);
            team.Barrier();
            Finish(layer, range.First, range.Count, member);
        }

        Span<float> weights = Weights.Span;
        int C = shape.Width;
        LayerNorm.Forward(
            range.Count,
            C,
            Rows(activations.Output, range, C),
            At(weights, tensors.FinalGain),
            At(weights, tensors.FinalBias),
            Epsilon,
            Rows(activations.Normed, range, C),
            Rows(activations.Mean, range, 1),
            Rows(activations.Rstd, range, 1));
    }

    /// <summary>
    /// Fills a block's activations from its input once more, all that the backward pass reads of them; the same bits as the first time.
    /// Ends without a barrier: attention has met all members, and of what comes after it each member knows its own tokens.
    /// </summary>
    public void Again(int layer, ThreadTeam team, int member)
    {
        var range = team.Part(member, Tokens.Count);
        AttentionInput(layer, range.First, range.Count, member);
        team.Barrier();
        Attend(layer, team, member);
        team.Barrier();
        MlpInput(layer, range.First, range.Count, member);
    }

    private void Embed(int first, int count)
    {
        Span<float> weights = Weights.Span;
        int C = shape.Width, T = shape.Block;
        Span<float> hidden = activations.Layers[0].Input.Span;
        for (int token = first; token < first + count;)
        {
            int position = token % T;
            int run = Math.Min(T - position, first + count - token);
            Embedding.Forward(
                Tokens.Inputs.AsSpan(token, run),
                position,
                C,
                At(weights, tensors.TokenEmbedding),
                At(weights, tensors.PositionEmbedding),
                hidden.Slice(token * C, run * C));
            token += run;
        }

        if (Dropout.Active)
        {
            Numerics.Kernels.Dropout.Apply(hidden.Slice(first * C, count * C), count, C, C, Position(first), Dropout.Embedding);
        }
    }

    private void AttentionInput(int layer, int first, int count, int member)
    {
        LayerActivations a = activations.Layers[layer];
        LayerTensors t = tensors.Layers[layer];
        Span<float> weights = Weights.Span;
        int C = shape.Width;
        var range = (first, count);
        Span<float> normed = Rows(a.Normed1, range, C);
        LayerNorm.Forward(
            count, C, Rows(a.Input, range, C), At(weights, t.Gain1), At(weights, t.Bias1), Epsilon, normed, Rows(a.Mean1, range, 1), Rows(a.Rstd1, range, 1));
        Linear(count, C, 3 * C, normed, At(weights, t.QkvWeight), At(weights, t.QkvBias), Rows(a.Qkv, range, 3 * C), member);
    }

    private void Attend(int layer, ThreadTeam team, int member)
    {
        LayerActivations a = activations.Layers[layer];
        int T = shape.Block, C = shape.Width, D = shape.HeadSize, H = shape.Heads;
        var pairs = team.Part(member, Tokens.Rows * H);
        for (int pair = pairs.First; pair < pairs.First + pairs.Count; pair++)
        {
            int row = pair / H, head = pair % H;
            Attention.Forward(
                T,
                D,
                C,
                a.Qkv.Span[((row * T * 3 * C) + (head * D))..],
                a.Attended.Span[((row * T * C) + (head * D))..],
                a.LogSumExp.Span.Slice(pair * T, T),
                AttentionMask(layer, row, head),
                attention[member]);
        }
    }

    /// <summary>From the attention's output to what the MLP's second product reads.</summary>
    private void MlpInput(int layer, int first, int count, int member)
    {
        LayerActivations a = activations.Layers[layer];
        LayerTensors t = tensors.Layers[layer];
        Span<float> weights = Weights.Span;
        int C = shape.Width;
        var range = (first, count);
        Span<float> branch = Rows(activations.Branch, range, C);
        Span<float> middle = Rows(a.Middle, range, C);
        Linear(count, C, C, Rows(a.Attended, range, C), At(weights, t.ProjectionWeight), At(weights, t.ProjectionBias), branch, member);
        if (Dropout.Active)
        {
            Numerics.Kernels.Dropout.Apply(branch, count, C, C, Position(first), Dropout.AttentionBranch(layer));
        }

        Residual.Add(Rows(a.Input, range, C), branch, middle);
        Span<float> normed = Rows(a.Normed2, range, C);
        LayerNorm.Forward(
            count, C, middle, At(weights, t.Gain2), At(weights, t.Bias2), Epsilon, normed, Rows(a.Mean2, range, 1), Rows(a.Rstd2, range, 1));
        Span<float> up = Rows(a.Up, range, 4 * C);
        Span<float> activated = Rows(a.Activated, range, 4 * C);
        Linear(count, C, 4 * C, normed, At(weights, t.UpWeight), At(weights, t.UpBias), up, member);
        Gelu.Forward(up, activated);
    }

    private void Finish(int layer, int first, int count, int member)
    {
        MlpInput(layer, first, count, member);
        LayerActivations a = activations.Layers[layer];
        LayerTensors t = tensors.Layers[layer];
        Span<float> weights = Weights.Span;
        int C = shape.Width;
        var range = (first, count);
        Span<float> branch = Rows(activations.Branch, range, C);
        Linear(count, 4 * C, C, Rows(a.Activated, range, 4 * C), At(weights, t.DownWeight), At(weights, t.DownBias), branch, member);
        if (Dropout.Active)
        {
            Numerics.Kernels.Dropout.Apply(branch, count, C, C, Position(first), Dropout.MlpBranch(layer));
        }

        AlignedBuffer next = layer + 1 < shape.Layers ? activations.Layers[layer + 1].Input : activations.Output;
        Residual.Add(Rows(a.Middle, range, C), branch, Rows(next, range, C));
    }

    /// <summary>y (count, n) = x (count, k) · weight (k, n) + bias.</summary>
    private void Linear(int count, int k, int n, ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> y, int member) =>
        MatMul.NN(count, n, k, x, k, weight, n, y, n, MatMulStart.Bias, bias, scratch[member]);

    private AttentionDropout AttentionMask(int layer, int row, int head) =>
        GptMasks.Attention(shape, Dropout, layer, Tokens.FirstRow + row, head);

    private ulong Position(int token) => GptMasks.Position(shape, Tokens.FirstRow, token);

    private static Span<float> At(Span<float> weights, ParameterRange range) => weights.Slice(range.Offset, range.Length);

    private static Span<float> Rows(AlignedBuffer buffer, (int First, int Count) tokens, int width) =>
        buffer.Span.Slice(tokens.First * width, tokens.Count * width);
}
