using Cllm.Model.Corpus;
using Cllm.Model.Run;

namespace Cllm.Model.Feed;

/// <summary>
/// The rows of every step as a pure function of the seed: nothing to save, any step is found at once. A row is a window of block + 1
/// tokens, the inputs and, one further, their targets; windows of a pass overlap by that one token only. Any number of threads may read.
/// </summary>
/// <remarks>
/// Rows are numbered r = step * batch + row and walk through the windows of the training part, pass after pass.
/// <list type="bullet">
/// <item>Sequential: (count - 1) / block windows; row r is window r modulo that, from the part's first token on.</item>
/// <item>Shuffled: each pass shifts all windows by an offset below block, so that borders differ between passes, and visits each
/// window once in an order of its own. The shift leaves room for one window less, unless the part has only one.</item>
/// </list>
/// </remarks>
public sealed class TrainingRows
{
    private readonly TokenFile _file;
    private readonly long _first;
    private readonly int _block;
    private readonly int _batch;
    private readonly ulong _seed;
    private readonly RowOrder _order;
    private readonly long _offsets;

    /// <summary>The rows of a training part.</summary>
    /// <param name="file">The tokens.</param>
    /// <param name="first">Index of the part's first token.</param>
    /// <param name="count">Tokens of the part; at least block + 1.</param>
    /// <param name="block">T, tokens predicted per row.</param>
    /// <param name="batch">B, rows per step.</param>
    /// <param name="seed">The run's seed; only shuffled rows depend on it.</param>
    /// <param name="order">Sequential or shuffled.</param>
    public TrainingRows(TokenFile file, long first, long count, int block, int batch, ulong seed, RowOrder order)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(block);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, block + 1L);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, file.Length - first);
        _file = file;
        _first = first;
        _block = block;
        _batch = batch;
        _seed = seed;
        _order = order;
        WindowsPerPass = order == RowOrder.Sequential ? (count - 1) / block : Math.Max(1, count / block - 1);
        _offsets = order == RowOrder.Sequential ? 1 : Math.Min(block, count - WindowsPerPass * block);
    }

    /// <summary>Rows of one pass over the training part.</summary>
    public long WindowsPerPass { get; }

    /// <summary>Reads one row of one step. Allocates nothing.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="row">The row of the global batch, from 0.</param>
    /// <param name="tokens">Receives (block + 1) ids: the inputs are the first block, the targets the last block of them.</param>
    public void Read(long step, int row, Span<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, _block + 1);
        _file.Read(Start(step, row), tokens);
    }

    /// <summary>Index in the token file of the row's first token.</summary>
    internal long Start(long step, int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_batch);
        (long pass, long index) = Math.DivRem(checked(step * _batch + row), WindowsPerPass);
        if (_order == RowOrder.Sequential)
        {
            return _first + index * _block;
        }

        ulong key = SplitMix64.Mix(SplitMix64.Mix(_seed) + (ulong)pass);
        ulong offset = Math.BigMul(SplitMix64.Mix(~key), (ulong)_offsets, out _);
        return _first + (long)offset + new WindowPermutation(WindowsPerPass, key)[index] * _block;
    }
}
