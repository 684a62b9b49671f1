namespace Cllm.Model.Compute;

/// <summary>The token ids of the rows a pass works on, and where these rows stand in the global batch. Filled anew for each pass.</summary>
internal sealed class LeafTokens(int rowsMax, int block)
{
    private readonly int[] _row = new int[block + 1];

    /// <summary>Input ids (rows, T).</summary>
    public int[] Inputs { get; } = new int[rowsMax * block];

    /// <summary>Ids to predict (rows, T): the inputs shifted by one.</summary>
    public int[] Targets { get; } = new int[rowsMax * block];

    /// <summary>T.</summary>
    public int Block => block;

    /// <summary>Rows filled.</summary>
    public int Rows { get; private set; }

    /// <summary>Number, within the global batch, of the first row; dropout masks are a function of it.</summary>
    public int FirstRow { get; private set; }

    /// <summary>Tokens filled: rows * T.</summary>
    public int Count => Rows * block;

    /// <summary>Starts a new set of rows.</summary>
    public void Clear(int firstRow)
    {
        Rows = 0;
        FirstRow = firstRow;
    }

    /// <summary>Room for one more row of T + 1 ids; <see cref="Take"/> adds what was written there.</summary>
    public Span<int> NextRow => _row;

    /// <summary>Adds the row written to <see cref="NextRow"/>.</summary>
    public void Take()
    {
        int start = Rows * block;
        _row.AsSpan(0, block).CopyTo(Inputs.AsSpan(start));
        _row.AsSpan(1, block).CopyTo(Targets.AsSpan(start));
        Rows++;
    }
}
