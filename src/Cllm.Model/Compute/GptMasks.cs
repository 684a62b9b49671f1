using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;

namespace Cllm.Model.Compute;

/// <summary>Positions of dropout masks in the global batch, so that a mask does not depend on which leaf or worker computes a row.</summary>
internal static class GptMasks
{
    /// <summary>Position of a token of a leaf whose first row is <paramref name="firstRow"/>.</summary>
    public static ulong Position(GptShape shape, int firstRow, int token) => ((ulong)firstRow * (ulong)shape.Block) + (ulong)token;

    /// <summary>The mask of one row's and one head's attention weights.</summary>
    public static AttentionDropout Attention(GptShape shape, DropoutPlan dropout, int layer, int row, int head) =>
        dropout.Active
            ? new AttentionDropout(dropout.Attention(layer), (((ulong)row * (ulong)shape.Heads) + (ulong)head) * (ulong)shape.Block)
            : default;
}
