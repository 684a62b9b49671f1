namespace Cllm.Model.Feed;

/// <summary>
/// The rows that evaluations read: windows of block + 1 tokens, one after another through the held-out part, so that each of their
/// tokens is predicted once; the same at every evaluation. A rest shorter than a window is left out. Any number of threads may read.
/// </summary>
public sealed class HeldOutRows
{
    private readonly TokenFile _file;
    private readonly long _first;
    private readonly long _windows;
    private readonly int _block;

    /// <summary>The rows of a held-out part.</summary>
    /// <param name="file">The tokens.</param>
    /// <param name="first">Index of the part's first token.</param>
    /// <param name="count">Tokens of the part.</param>
    /// <param name="block">T, tokens predicted per row.</param>
    /// <param name="rowsWanted">At most this many rows, evenly spread over the part; 0 is all.</param>
    /// <exception cref="InputException">The part is shorter than one window.</exception>
    public HeldOutRows(TokenFile file, long first, long count, int block, int rowsWanted)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(block);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(rowsWanted);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, file.Length - first);
        if (count <= block)
        {
            throw new InputException(
                $"The text to evaluate on has {count} tokens and the model's block of {block} needs {block + 1L}; use more text.");
        }

        _file = file;
        _first = first;
        _block = block;
        _windows = (count - 1) / block;
        Count = (int)Math.Min(_windows, rowsWanted == 0 ? int.MaxValue : rowsWanted);
    }

    /// <summary>Number of rows; at least 1.</summary>
    public int Count { get; }

    /// <summary>Tokens that are predicted in all rows together: Count * block.</summary>
    public long PredictedTokens => (long)Count * _block;

    /// <summary>Reads one row. Allocates nothing.</summary>
    /// <param name="row">From 0 to <see cref="Count"/> - 1.</param>
    /// <param name="tokens">Receives (block + 1) ids: the inputs are the first block, the targets the last block of them.</param>
    public void Read(int row, Span<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, _block + 1);
        _file.Read(_first + (long)((Int128)row * _windows / Count) * _block, tokens);
    }
}
