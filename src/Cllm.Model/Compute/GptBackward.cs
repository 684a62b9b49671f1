using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Compute;

/// <summary>
/// The backward pass: loss and the gradient of every parameter, from the activations of <see cref="GptForward"/>. Overwrites the whole
/// gradient. Work on token rows is split over a team's members by tokens, weight gradients by outputs; no sum over tokens is ever split.
/// The gradient becomes final from the vector's end to its start, block by block; the token embedding is the tied head as well, so its turn comes last.
/// </summary>
internal sealed class GptBackward(GptShape shape, GptTensors tensors, Activations activations, MatMulScratch[] scratch, AttentionScratch[] attention)
    : ITeamProgram
{
    /// <summary>The weights the forward pass used.</summary>
    public required AlignedBuffer Weights { get; init; }

    /// <summary>The rows of the forward pass.</summary>
    public required LeafTokens Tokens { get; init; }

    /// <summary>Dropout of the forward pass.</summary>
    public DropoutPlan Dropout { get; set; }

    /// <summary>Factor on every token's loss: 1 / (B * T) makes it the mean over the global batch.</summary>
    public required float LossScale { get; init; }

    /// <summary>The forward pass, which fills a block's activations once more where they were not kept.</summary>
    public required GptForward Forward { get; init; }

    /// <summary>Where the gradient goes (layout of the flat vector).</summary>
    public AlignedBuffer? Destination { get; set; }

    /// <summary>Where it goes from there, as it becomes final.</summary>
    public required TreePath Path { get; init; }

    /// <inheritdoc/>
    public void Run(ThreadTeam team, int member)
    {
        team.Barrier();
        Head(team, member);
        int final = Destination!.Length;
        for (int layer = shape.Layers - 1; layer >= 0; layer--)
        {
            var range = team.Part(member, Tokens.Count);
            if (activations.IsRecomputed && layer < shape.Layers - 1)
            {
                Forward.Again(layer, team, member);
            }

            MlpInput(layer, range, member);
            team.Barrier();
            AttentionInput(layer, team, member);
            team.Barrier();
            LayerInput(layer, range, member);
            team.Barrier();
            LayerParameters(layer, team, member);
            team.Barrier();
            int offset = tensors.Layers[layer].Gain1.Offset;
            Path.Settle(team, member, offset, final);
            final = offset;
        }

        Embeddings(team, member);
        team.Barrier();
        Path.Settle(team, member, 0, final);
    }

    private Span<float> Gradient(ParameterRange range) => Destination!.Span.Slice(range.Offset, range.Length);

    private Span<float> Weight(ParameterRange range) => Weights.Span.Slice(range.Offset, range.Length);

    /// <summary>Gradient of the residual stream behind a block; -1 is the gradient of the embeddings' sum.</summary>
    private AlignedBuffer Behind(int layer) => activations.Gradients[(layer + 1) & 1];

    /// <summary>Loss, its gradient through the tied head and the final layer norm. Logits exist for a few tokens at a time.</summary>
    private void Head(ThreadTeam team, int member)
    {
        int N = Tokens.Count, V = shape.Vocabulary, C = shape.Width, S = activations.LogitsStride;
        var vocabulary = team.Part(member, V);
        Span<float> logits = activations.Logits.Span;
        for (int start = 0; start < N; start += activations.LogitsRows)
        {
            int count = Math.Min(activations.LogitsRows, N - start);
            var part = team.Part(member, count);
            (int First, int Count) range = (start + part.First, part.Count);
            Span<float> mine = logits.Slice(part.First * S, part.Count * S);
            ReadOnlySpan<float> normed = Rows(activations.Normed, range, C);
            MatMul.NT(range.Count, V, C, normed, C, Weight(tensors.TokenEmbedding), C, mine, S, MatMulStart.Zero, default, scratch[member]);
            CrossEntropy.ForwardBackward(
                range.Count, V, S, mine, Tokens.Targets.AsSpan(range.First, range.Count), LossScale, Rows(activations.Losses, range, 1));
            MatMul.NN(
                range.Count, C, V, mine, S, Weight(tensors.TokenEmbedding), C, Rows(activations.GradientNormed, range, C), C, MatMulStart.Zero, default, scratch[member]);
            team.Barrier();
            if (vocabulary.Count > 0)
            {
                MatMul.TN(
                    vocabulary.Count,
                    C,
                    count,
                    logits[vocabulary.First..],
                    S,
                    Rows(activations.Normed, (start, count), C),
                    C,
                    Gradient(tensors.TokenEmbedding)[(vocabulary.First * C)..],
                    C,
                    start == 0 ? MatMulStart.Zero : MatMulStart.Accumulate,
                    default,
                    scratch[member]);
            }

            team.Barrier();
        }

        var tokens = team.Part(member, N);
        LayerNorm.BackwardInput(
            tokens.Count,
            C,
            Rows(activations.GradientNormed, tokens, C),
            Rows(activations.Output, tokens, C),
            Weight(tensors.FinalGain),
            Rows(activations.Mean, tokens, 1),
            Rows(activations.Rstd, tokens, 1),
            accumulate: false,
            Rows(Behind(shape.Layers - 1), tokens, C));
        NormParameters(
            team, member, activations.GradientNormed, activations.Output, activations.Mean, activations.Rstd, tensors.FinalGain, tensors.FinalBias);
    }

    /// <summary>From behind the block to the attention's output, each token by itself.</summary>
    private void MlpInput(int layer, (int First, int Count) range, int member)
    {
        LayerActivations a = activations.Layers[layer];
        LayerTensors t = tensors.Layers[layer];
        int C = shape.Width;
        Span<float> behind = Rows(Behind(layer), range, C);
        Span<float> branch = Branch(behind, activations.GradientBranch, range, Dropout.MlpBranch(layer));
        Span<float> up = Rows(activations.GradientUp, range, 4 * C);
        InputGradient(range.Count, C, 4 * C, branch, Weight(t.DownWeight), up, member);
        Gelu.Backward(Rows(a.Up, range, 4 * C), up, up);
        Span<float> normed = Rows(activations.GradientNormed2, range, C);
        InputGradient(range.Count, 4 * C, C, up, Weight(t.UpWeight), normed, member);
        Span<float> middle = Rows(activations.GradientMiddle, range, C);
        behind.CopyTo(middle);
        LayerNorm.BackwardInput(
            range.Count, C, normed, Rows(a.Middle, range, C), Weight(t.Gain2), Rows(a.Mean2, range, 1), Rows(a.Rstd2, range, 1), accumulate: true, middle);
        branch = Branch(middle, activations.GradientMiddleBranch, range, Dropout.AttentionBranch(layer));
        InputGradient(range.Count, C, C, branch, Weight(t.ProjectionWeight), Rows(activations.GradientAttended, range, C), member);
    }

    private void AttentionInput(int layer, ThreadTeam team, int member)
    {
        LayerActivations a = activations.Layers[layer];
        int T = shape.Block, C = shape.Width, D = shape.HeadSize, H = shape.Heads;
        var pairs = team.Part(member, Tokens.Rows * H);
        for (int pair = pairs.First; pair < pairs.First + pairs.Count; pair++)
        {
            int row = pair / H, head = pair % H;
            int packed = (row * T * 3 * C) + (head * D), plain = (row * T * C) + (head * D);
            Attention.Backward(
                T,
                D,
                C,
                a.Qkv.Span[packed..],
                a.Attended.Span[plain..],
                a.LogSumExp.Span.Slice(pair * T, T),
                activations.GradientAttended.Span[plain..],
                activations.GradientQkv.Span[packed..],
                GptMasks.Attention(shape, Dropout, layer, Tokens.FirstRow + row, head),
                attention[member]);
        }
    }

    private void LayerInput(int layer, (int First, int Count) range, int member)
    {
        LayerActivations a = activations.Layers[layer];
        LayerTensors t = tensors.Layers[layer];
        int C = shape.Width;
        Span<float> normed = Rows(activations.GradientNormed, range, C);
        InputGradient(range.Count, 3 * C, C, Rows(activations.GradientQkv, range, 3 * C), Weight(t.QkvWeight), normed, member);
        Span<float> before = Rows(Behind(layer - 1), range, C);
        Rows(activations.GradientMiddle, range, C).CopyTo(before);
        LayerNorm.BackwardInput(
            range.Count, C, normed, Rows(a.Input, range, C), Weight(t.Gain1), Rows(a.Mean1, range, 1), Rows(a.Rstd1, range, 1), accumulate: true, before);
    }

    private void LayerParameters(int layer, ThreadTeam team, int member)
    {
        LayerActivations a = activations.Layers[layer];
        LayerTensors t = tensors.Layers[layer];
        int C = shape.Width;
        AlignedBuffer mlpBranch = Dropout.Active ? activations.GradientBranch : Behind(layer);
        AlignedBuffer attentionBranch = Dropout.Active ? activations.GradientMiddleBranch : activations.GradientMiddle;
        WeightGradient(team, member, 4 * C, C, a.Activated, mlpBranch, t.DownWeight);
        WeightGradient(team, member, C, 4 * C, a.Normed2, activations.GradientUp, t.UpWeight);
        WeightGradient(team, member, C, C, a.Attended, attentionBranch, t.ProjectionWeight);
        WeightGradient(team, member, C, 3 * C, a.Normed1, activations.GradientQkv, t.QkvWeight);
        BiasGradient(team, member, C, 0, C, mlpBranch, t.DownBias);
        BiasGradient(team, member, 4 * C, 0, 4 * C, activations.GradientUp, t.UpBias);
        BiasGradient(team, member, C, 0, C, attentionBranch, t.ProjectionBias);
        QkvBiasGradient(team, member, t.QkvBias);
        NormParameters(team, member, activations.GradientNormed2, a.Middle, a.Mean2, a.Rstd2, t.Gain2, t.Bias2);
        NormParameters(team, member, activations.GradientNormed, a.Input, a.Mean1, a.Rstd1, t.Gain1, t.Bias1);
    }

    private void Embeddings(ThreadTeam team, int member)
    {
        int C = shape.Width, T = shape.Block;
        Span<float> gradient = Behind(-1).Span[..(Tokens.Count * C)];
        if (Dropout.Active)
        {
            var range = team.Part(member, Tokens.Count);
            Mask(gradient.Slice(range.First * C, range.Count * C), range, Dropout.Embedding);
            team.Barrier();
        }

        var columns = team.Part(member, C, 16);
        Embedding.BackwardTokens(
            Tokens.Inputs.AsSpan(0, Tokens.Count), C, columns.First, columns.Count, gradient, Gradient(tensors.TokenEmbedding));
        var positions = team.Part(member, T);
        Embedding.BackwardPositions(
            Tokens.Rows, T, C, positions.First, positions.Count, gradient, Gradient(tensors.PositionEmbedding));
    }

    /// <summary>dx (count, n) = dy (count, k) · weightᵀ; weight is (n, k).</summary>
    private void InputGradient(int count, int k, int n, ReadOnlySpan<float> dy, ReadOnlySpan<float> weight, Span<float> dx, int member) =>
        MatMul.NT(count, n, k, dy, k, weight, k, dx, n, MatMulStart.Zero, default, scratch[member]);

    /// <summary>Gradient of weight (m, n) = xᵀ (N, m) · dy (N, n); the longer side is split over the team.</summary>
    private void WeightGradient(ThreadTeam team, int member, int m, int n, AlignedBuffer x, AlignedBuffer dy, ParameterRange weight)
    {
        int N = Tokens.Count;
        var rows = n >= m ? (First: 0, Count: m) : team.Part(member, m, 16);
        var columns = n >= m ? team.Part(member, n, 16) : (First: 0, Count: n);
        if (rows.Count > 0 && columns.Count > 0)
        {
            MatMul.TN(
                rows.Count,
                columns.Count,
                N,
                x.Span[rows.First..],
                m,
                dy.Span[columns.First..],
                n,
                Gradient(weight)[((rows.First * n) + columns.First)..],
                n,
                MatMulStart.Zero,
                default,
                scratch[member]);
        }
    }

    /// <summary>Gradient of <paramref name="columns"/> numbers of a bias, from the first on: sums over the columns of dy (N, width).</summary>
    private void BiasGradient(ThreadTeam team, int member, int width, int first, int columns, AlignedBuffer dy, ParameterRange bias)
    {
        var part = team.Part(member, columns, 16);
        Bias.Backward(Tokens.Count, width, width, first + part.First, part.Count, dy.Span, Gradient(bias));
    }

    /// <summary>
    /// The key's part is exactly zero: a key bias adds the same number to all scores of a query, and softmax does not see that. Summing
    /// it in single precision would leave rounding errors that Adam, dividing by their own size, turns into steps of full length.
    /// </summary>
    private void QkvBiasGradient(ThreadTeam team, int member, ParameterRange bias)
    {
        int C = shape.Width;
        BiasGradient(team, member, 3 * C, 0, C, activations.GradientQkv, bias);
        BiasGradient(team, member, 3 * C, 2 * C, C, activations.GradientQkv, bias);
        var keys = team.Part(member, C, 16);
        Gradient(bias).Slice(C + keys.First, keys.Count).Clear();
    }

    private void NormParameters(
        ThreadTeam team, int member, AlignedBuffer dy, AlignedBuffer x, AlignedBuffer mean, AlignedBuffer rstd, ParameterRange gain, ParameterRange bias)
    {
        var columns = team.Part(member, shape.Width, 16);
        LayerNorm.BackwardParameters(
            Tokens.Count, shape.Width, columns.First, columns.Count, dy.Span, x.Span, mean.Span, rstd.Span, Gradient(gain), Gradient(bias));
    }

    /// <summary>The residual's gradient as its branch sees it: through the branch's dropout, when there is one.</summary>
    private Span<float> Branch(Span<float> residual, AlignedBuffer masked, (int First, int Count) range, DropoutStream stream)
    {
        if (!Dropout.Active)
        {
            return residual;
        }

        Span<float> branch = Rows(masked, range, shape.Width);
        residual.CopyTo(branch);
        Mask(branch, range, stream);
        return branch;
    }

    private void Mask(Span<float> gradient, (int First, int Count) range, DropoutStream stream) =>
        Numerics.Kernels.Dropout.Apply(
            gradient, range.Count, shape.Width, shape.Width, GptMasks.Position(shape, Tokens.FirstRow, range.First), stream);

    private static Span<float> Rows(AlignedBuffer buffer, (int First, int Count) tokens, int width) =>
        buffer.Span.Slice(tokens.First * width, tokens.Count * width);
}
