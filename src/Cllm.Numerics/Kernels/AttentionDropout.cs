namespace Cllm.Numerics.Kernels;

/// <summary>Dropout of attention probabilities: the mask of (query, key) is that of position FirstPosition + query, column key.</summary>
/// <remarks>
/// Forward and backward compute the same masks from it; nothing is stored. Heads and rows need streams or positions of their own.
/// </remarks>
/// <param name="Stream">Seed, step, site and rate; at rate 0 (the default value) nothing is dropped.</param>
/// <param name="FirstPosition">Position of query 0 in the stream.</param>
public readonly record struct AttentionDropout(DropoutStream Stream, ulong FirstPosition)
{
    /// <summary>No dropout, as in evaluation.</summary>
    public static AttentionDropout None => default;

    /// <summary>Whether nothing is dropped.</summary>
    public bool IsNone => Stream.Rate == 0;

    /// <summary>Masks a block of probabilities of queries from <paramref name="firstQuery"/> and keys from 0.</summary>
    internal void ApplyTo(Span<float> probabilities, int queries, int keys, int stride, int firstQuery) =>
        Dropout.Apply(probabilities, queries, keys, stride, FirstPosition + (ulong)firstQuery, Stream);
}
