using Cllm.Protocol.Tree;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Cllm.Tests.Protocol;

public sealed class LeafTreeTests
{
    [Property(MaxTest = 300)]
    public void Shares_cover_every_leaf_exactly_once_and_are_even(PositiveInt leafCount, PositiveInt workerCount, bool isSplit)
    {
        var tree = new LeafTree(leafCount.Get);
        var all = Enumerable.Range(0, tree.Leaves).ToArray();
        var shares = LeafPlan.Share(tree, all, workerCount.Get, isSplit ? 2 : 1);

        Assert.Equal(all, shares.SelectMany(share => share).SelectMany(node => Leaves(tree, node)));
        var sizes = shares.Select(share => share.Sum(tree.Count)).ToList();
        Assert.InRange(sizes.Max() - sizes.Min(), 0, 1);
    }

    [Property(MaxTest = 300)]
    public void Leaves_with_gaps_are_covered_exactly_once(PositiveInt leafCount, PositiveInt workerCount, int seed)
    {
        var tree = new LeafTree(leafCount.Get);
        var random = new Random(seed);
        var some = Enumerable.Range(0, tree.Leaves).Where(_ => random.Next(2) == 0).ToArray();
        var shares = LeafPlan.Share(tree, some, workerCount.Get, 2);

        Assert.Equal(some, shares.SelectMany(share => share).SelectMany(node => Leaves(tree, node)));
    }

    [Property(MaxTest = 300)]
    public void Children_of_a_node_are_its_leaves_in_two_parts(PositiveInt leafCount)
    {
        var tree = new LeafTree(leafCount.Get);
        var open = new Stack<LeafNode>([tree.Lowest(new(tree.RootLevel, 0))]);
        var singles = 0;
        while (open.TryPop(out var node))
        {
            if (node.Level == 0)
            {
                singles++;
                continue;
            }

            var (left, right) = tree.Children(node);
            Assert.Equal(LeafTree.First(node), LeafTree.First(left));
            Assert.Equal(tree.End(left), LeafTree.First(right));
            Assert.Equal(tree.End(node), tree.End(right));
            open.Push(right);
            open.Push(left);
        }

        Assert.Equal(tree.Leaves, singles);
    }

    [Fact]
    public void A_whole_subtree_is_leased_as_its_two_halves()
    {
        var shares = LeafPlan.Share(new(8), Enumerable.Range(0, 8).ToArray(), 2, 2);
        Assert.Equal([new(1, 0), new(1, 1)], shares[0]);
        Assert.Equal([new(1, 2), new(1, 3)], shares[1]);
    }

    [Fact]
    public void A_single_leaf_is_not_split()
    {
        Assert.Equal([new LeafNode(0, 0)], LeafPlan.Share(new(1), [0], 1, 2)[0]);
    }

    [Fact]
    public void With_five_leaves_the_right_half_is_one_leaf()
    {
        var tree = new LeafTree(5);
        Assert.Equal(3, tree.RootLevel);
        Assert.Equal((new LeafNode(2, 0), new LeafNode(0, 4)), tree.Children(new(3, 0)));
    }

    [Fact]
    public void More_workers_than_leaves_leaves_some_without()
    {
        var shares = LeafPlan.Share(new(2), [0, 1], 5, 2);
        Assert.Equal(2, shares.Count(share => share.Length == 1));
        Assert.Equal(3, shares.Count(share => share.Length == 0));
    }

    private static IEnumerable<int> Leaves(LeafTree tree, LeafNode node) => Enumerable.Range(LeafTree.First(node), tree.Count(node));
}
