using System.Runtime.CompilerServices;
using Cllm.Numerics.Memory;

namespace Cllm.Numerics.Kernels;

/// <summary>One thread's memory for attention: one head's packed operands and the probabilities of one block of queries.</summary>
/// <remarks>Not for two threads at a time. Holds about 4 · tokens · headSize + 3 · 24 · tokens floats, never tokens squared.</remarks>
public sealed unsafe class AttentionScratch : IDisposable
{
    /// <summary>
    /// Queries handled at a time: a multiple of a register tile's rows, few enough that a short row wastes little on keys after
    /// the query. Every sum runs over keys or queries one by one in order, so this number changes no bit.
    /// </summary>
    internal const int QueryBlock = 24;

    /// <summary>Columns of packed operands and probabilities come in whole vectors of this many.</summary>
    internal const int Lanes = 16;

    /// <summary>The largest register tile: 6 rows of 64.</summary>
    private const int TileFloats = 6 * 64;

    private readonly AlignedBuffer _memory;
    private readonly int _operandFloats;
    private readonly int _blockFloats;
    private readonly int _probabilityFloats;

    /// <summary>Allocates for heads up to the given size in rows up to the given length.</summary>
    /// <param name="tokensMax">Most tokens of a row.</param>
    /// <param name="headSizeMax">Most channels of a head.</param>
    public AttentionScratch(int tokensMax, int headSizeMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headSizeMax, 1);
        TokensMax = tokensMax;
        HeadSizeMax = headSizeMax;
        int tokens = MatMulPack.RoundUp(tokensMax, Lanes);
        int channels = MatMulPack.RoundUp(headSizeMax, Lanes);
        _operandFloats = checked(tokens * channels);
        _blockFloats = QueryBlock * channels;
        ProbabilityStride = tokens + Lanes;
        _probabilityFloats = QueryBlock * ProbabilityStride;
        _memory = new AlignedBuffer((3L * _operandFloats) + (2L * _blockFloats) + (3L * _probabilityFloats) + tokens + (2 * TileFloats));
    }

    /// <summary>Most tokens of a row.</summary>
    public int TokensMax { get; }

    /// <summary>Most channels of a head.</summary>
    public int HeadSizeMax { get; }

    /// <summary>
    /// Floats from a query's probabilities to the next's; off powers of two, so that columns do not share one cache set.
    /// </summary>
    internal int ProbabilityStride { get; }

    /// <summary>Keys as (channel, key).</summary>
    internal float* KeysTransposed => Start;

    /// <summary>Values as (channel, key); used backward.</summary>
    internal float* ValuesTransposed => Start + _operandFloats;

    /// <summary>As (key, channel): values forward, keys backward.</summary>
    internal float* Rows => Start + (2L * _operandFloats);

    /// <summary>The block's queries as (query, channel).</summary>
    internal float* Queries => Start + (3L * _operandFloats);

    /// <summary>The block's output gradients as (query, channel).</summary>
    internal float* OutputGradients => Queries + _blockFloats;

    /// <summary>The block's probabilities as (query, key).</summary>
    internal float* Probabilities => OutputGradients + _blockFloats;

    /// <summary>The same after dropout.</summary>
    internal float* Dropped => Probabilities + _probabilityFloats;

    /// <summary>The gradients of the block's probabilities, then of its scores.</summary>
    internal float* ScoreGradients => Dropped + _probabilityFloats;

    /// <summary>One number a query: forward its largest score, backward sums and dot products of the block.</summary>
    internal float* Largest => ScoreGradients + _probabilityFloats;

    /// <summary>A tile at an edge inside a vector.</summary>
    internal float* EdgeTile => Largest + MatMulPack.RoundUp(TokensMax, Lanes);

    /// <summary>A row of zeros as wide as a tile.</summary>
    internal float* Zeros => EdgeTile + TileFloats;

    private float* Start => (float*)Unsafe.AsPointer(ref _memory.Span[0]);

    /// <summary>Bytes held.</summary>
    public long Bytes => _memory.Length * (long)sizeof(float);

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _memory.Dispose();
}
