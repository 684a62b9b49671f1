namespace Cllm.Model.Shape;

/// <summary>How the rows of a global batch fall into leaves: leaf i covers rows [i*B/L, (i+1)*B/L). Part of a run's identity.</summary>
/// <param name="Batch">B, rows of the global batch.</param>
/// <param name="Leaves">L, leaves per step, at most B.</param>
public sealed record LeafPlan(int Batch, int Leaves)
{
    /// <summary>Rows of the largest leaf.</summary>
    public int RowsMax => (Batch + Leaves - 1) / Leaves;

    /// <summary>First row of a leaf and its number of rows.</summary>
    public (int First, int Rows) Rows(int leaf)
    {
        int first = (int)((long)Batch * leaf / Leaves);
        int end = (int)((long)Batch * (leaf + 1) / Leaves);
        return (first, end - first);
    }

    /// <summary>Leaves under a node of the reduction tree: [index &lt;&lt; level, min((index + 1) &lt;&lt; level, L)).</summary>
    public (int First, int Count) LeavesUnder(int level, int index)
    {
        int first = index << level;
        return (first, Math.Min(1 << level, Leaves - first));
    }

    /// <summary>Level of the tree's root: the smallest k with 2^k at least L.</summary>
    public int RootLevel => Leaves == 1 ? 0 : 32 - int.LeadingZeroCount(Leaves - 1);
}
