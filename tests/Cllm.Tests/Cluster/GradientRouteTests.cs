using Cllm.Actors.Cluster;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;
using FsCheck;
using FsCheck.Xunit;

namespace Cllm.Tests.Cluster;

public sealed class GradientRouteTests
{
    private static readonly NodeId Self = new(7);

    [Fact]
    public void A_node_sends_one_sum_for_each_largest_node_of_the_tree_that_it_holds()
    {
        // Node 3 holds leaves 0 to 5 in buffers of three workers, this node the last two.
        ReductionSource[] sources = [Source(0, 3, 0), Source(1, 3, 1), Source(2, 3, 1), Source(3, 3, 2), Source(4, 3, 2), Source(5, 3, 2), Source(6, 7, 0), Source(7, 7, 1)];
        Assert.Equal(
            [new(new(3), new(2, 0), 0, 4), new(new(3), new(1, 2), 4, 2), new(Self, new(0, 6), 6, 1), new(Self, new(0, 7), 7, 1)],
            Routes(8, sources));
    }

    [Property(MaxTest = 200)]
    public void Whoever_holds_the_leaves_all_of_them_are_fetched_exactly_once(PositiveInt seed)
    {
        var random = new Random(seed.Get);
        var leaves = random.Next(1, 40);
        var tree = new LeafTree(leaves);
        ReductionSource[] sources = [.. Enumerable.Range(0, leaves).Select(leaf => Source(leaf, 5 + random.Next(4), random.Next(3)))];
        var next = 0;
        foreach (var route in Routes(leaves, sources))
        {
            Assert.Equal(next, route.First);
            Assert.Equal(next, LeafTree.First(route.Node));
            Assert.Equal(next + route.Count, tree.End(route.Node));
            Assert.True(route.Holder != Self || route.Count == 1);
            next += route.Count;
        }

        Assert.Equal(leaves, next);
    }

    private static List<GradientRoute> Routes(int leaves, ReductionSource[] sources)
    {
        var routes = new List<GradientRoute>();
        GradientRoutes.Find(new(leaves), sources, Self, routes);
        return routes;
    }

    private static ReductionSource Source(int leaf, int node, int worker) =>
        new(new(0, leaf), new((node * NodeNumbers.WorkersMax) + worker), new(new(leaf + 1), 0));
}
