using System.Numerics;

namespace Cllm.Protocol.Tree;

/// <summary>
/// The fixed binary tree in which the gradients of a run's leaves are added: a node's sum is left + right where the right child has
/// leaves, else the left
/// child's. It depends on the number of leaves only, which need not be a power of two.
/// </summary>
/// <param name="Leaves">L, at least 1.</param>
public readonly record struct LeafTree(int Leaves)
{
    /// <summary>Level of the node that covers all leaves.</summary>
    public int RootLevel => 32 - BitOperations.LeadingZeroCount((uint)(Leaves - 1));

    /// <summary>First leaf of a node.</summary>
    public static int First(LeafNode node) => node.Index << node.Level;

    /// <summary>The leaf behind a node's last.</summary>
    public int End(LeafNode node) => Math.Min((node.Index + 1) << node.Level, Leaves);

    /// <summary>Number of a node's leaves.</summary>
    public int Count(LeafNode node) => End(node) - First(node);

    /// <summary>
    /// The lowest node with the same leaves. Above it stand, at most, nodes whose right child is empty: their sums are the same bits.
    /// </summary>
    public LeafNode Lowest(LeafNode node)
    {
        var (level, index) = node;
        while (level > 0 && (index << level) + (1 << (level - 1)) >= Leaves)
        {
            level--;
            index <<= 1;
        }

        return new(level, index);
    }

    /// <summary>The two nodes whose sums are added to get the node's.</summary>
    /// <param name="node">A lowest node of level 1 or above.</param>
    public (LeafNode Left, LeafNode Right) Children(LeafNode node) =>
        (Lowest(new(node.Level - 1, 2 * node.Index)), Lowest(new(node.Level - 1, 2 * node.Index + 1)));

    /// <summary>The largest node that begins at a leaf and ends at or before another.</summary>
    /// <param name="first">Its first leaf.</param>
    /// <param name="end">The leaf behind the last it may cover; above <paramref name="first"/>, at most L.</param>
    public LeafNode Largest(int first, int end)
    {
        var level = 0;
        while (level < RootLevel && (first & ((2 << level) - 1)) == 0 && Math.Min(first + (2 << level), Leaves) <= end)
        {
            level++;
        }

        return Lowest(new(level, first >> level));
    }
}
