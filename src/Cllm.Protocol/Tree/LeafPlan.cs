namespace Cllm.Protocol.Tree;

/// <summary>Who gets which leaves: contiguous runs, as even as possible, cut into as few nodes of the tree as there can be.</summary>
internal static class LeafPlan
{
    /// <summary>Shares leaves out.</summary>
    /// <param name="tree">The reduction tree.</param>
    /// <param name="leaves">The leaves to share out, ascending; with gaps where only some are to be computed again.</param>
    /// <param name="workers">Number of shares.</param>
    /// <param name="nodesMin">
    /// Nodes that a share has at least, if it has as many leaves. With 2, a worker that holds one whole subtree computes its two halves
    /// and leaves their sum
    /// to the shards, who add it in the same pass over memory in which they read it.
    /// </param>
    /// <returns>Nodes of each share, ascending.</returns>
    public static LeafNode[][] Share(LeafTree tree, ReadOnlySpan<int> leaves, int workers, int nodesMin)
    {
        var shares = new LeafNode[workers][];
        var nodes = new List<LeafNode>();
        for (var worker = 0; worker < workers; worker++)
        {
            nodes.Clear();
            var (start, end) = Cut(leaves.Length, workers, worker);
            Cover(tree, leaves[start..end], nodes);
            Split(tree, nodes, nodesMin);
            shares[worker] = [.. nodes];
        }

        return shares;
    }

    /// <summary>The even part of a list that a share is.</summary>
    public static (int Start, int End) Cut(int count, int shares, int share) =>
        ((int)((long)count * share / shares), (int)((long)count * (share + 1) / shares));

    private static void Cover(LeafTree tree, ReadOnlySpan<int> leaves, List<LeafNode> nodes)
    {
        for (var at = 0; at < leaves.Length;)
        {
            var run = at + 1;
            while (run < leaves.Length && leaves[run] == leaves[run - 1] + 1)
            {
                run++;
            }

            for (var leaf = leaves[at]; leaf <= leaves[run - 1];)
            {
                var node = tree.Largest(leaf, leaves[run - 1] + 1);
                nodes.Add(node);
                leaf = tree.End(node);
            }

            at = run;
        }
    }

    private static void Split(LeafTree tree, List<LeafNode> nodes, int nodesMin)
    {
        while (nodes.Count > 0 && nodes.Count < nodesMin)
        {
            var largest = 0;
            for (var i = 1; i < nodes.Count; i++)
            {
                largest = nodes[i].Level > nodes[largest].Level ? i : largest;
            }

            if (nodes[largest].Level == 0)
            {
                return;
            }

            var (left, right) = tree.Children(nodes[largest]);
            nodes[largest] = left;
            nodes.Insert(largest + 1, right);
        }
    }
}
