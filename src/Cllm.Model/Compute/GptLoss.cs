using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Compute;

/// <summary>Loss of each token behind a forward pass, without gradients: for evaluation.</summary>
internal sealed class GptLoss(GptShape shape, GptTensors tensors, Activations activations, MatMulScratch[] scratch) : ITeamProgram
{
    /// <summary>The weights the forward pass used.</summary>
    public required AlignedBuffer Weights { get; init; }

    /// <summary>The rows of the forward pass.</summary>
    public required LeafTokens Tokens { get; init; }

    /// <inheritdoc/>
    public void Run(ThreadTeam team, int member)
    {
        int N = Tokens.Count, V = shape.Vocabulary, C = shape.Width, S = activations.LogitsStride;
        ReadOnlySpan<float> head = Weights.Span.Slice(tensors.TokenEmbedding.Offset, tensors.TokenEmbedding.Length);
        for (int start = 0; start < N; start += activations.LogitsRows)
        {
            var part = team.Part(member, Math.Min(activations.LogitsRows, N - start));
            int first = start + part.First;
            Span<float> mine = activations.Logits.Span.Slice(part.First * S, part.Count * S);
            MatMul.NT(
                part.Count, V, C, activations.Normed.Span.Slice(first * C, part.Count * C), C, head, C, mine, S, MatMulStart.Zero, default, scratch[member]);
            CrossEntropy.Forward(
                part.Count, V, S, mine, Tokens.Targets.AsSpan(first, part.Count), activations.Losses.Span.Slice(first, part.Count));
        }
    }
}
