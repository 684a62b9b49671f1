using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Actors.Cluster;

/// <summary>A sum of gradients as a shard gets it: one buffer of its own process, or one node of the tree that another node adds up and sends.</summary>
/// <param name="Holder">The node that holds the buffers.</param>
/// <param name="Node">The node of the tree.</param>
/// <param name="First">The first of the buffers in the order's sources.</param>
/// <param name="Count">Number of the buffers.</param>
internal readonly record struct GradientRoute(NodeId Holder, LeafNode Node, int First, int Count);

/// <summary>
/// Which sums a shard gets from where. A node sends one sum for each largest node of the tree that it holds wholly, so what travels does not grow with its
/// workers. Where the sum is added changes no bit: the tree says what is added to what.
/// </summary>
internal static class GradientRoutes
{
    /// <summary>Finds the routes.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="sources">Buffers that cover every leaf once, in leaf order.</param>
    /// <param name="self">The node that asks: its own buffers are read one by one.</param>
    /// <param name="routes">Gets the routes, in leaf order.</param>
    /// <param name="holderOf">The node that a worker is on, where its number does not say so.</param>
    public static void Find(
        LeafTree tree, ReadOnlySpan<ReductionSource> sources, NodeId self, List<GradientRoute> routes, Func<WorkerId, NodeId>? holderOf = null)
    {
        routes.Clear();
        Visit(tree, tree.Lowest(new(tree.RootLevel, 0)), sources, 0, sources.Length, self, routes, holderOf ?? NodeNumbers.NodeOf);
    }

    private static void Visit(
        LeafTree tree, LeafNode node, ReadOnlySpan<ReductionSource> sources, int first, int end, NodeId self, List<GradientRoute> routes,
        Func<WorkerId, NodeId> holderOf)
    {
        var holder = holderOf(sources[first].Worker);
        if (end - first == 1)
        {
            routes.Add(new(holder, sources[first].Node, first, 1));
        }
        else if (holder != self && AllAt(holder, sources[first..end], holderOf))
        {
            routes.Add(new(holder, node, first, end - first));
        }
        else
        {
            var (left, right) = tree.Children(node);
            var middle = first;
            while (middle < end && LeafTree.First(sources[middle].Node) < LeafTree.First(right))
            {
                middle++;
            }

            Visit(tree, left, sources, first, middle, self, routes, holderOf);
            Visit(tree, right, sources, middle, end, self, routes, holderOf);
        }
    }

    private static bool AllAt(NodeId holder, ReadOnlySpan<ReductionSource> sources, Func<WorkerId, NodeId> holderOf)
    {
        foreach (var source in sources)
        {
            if (holderOf(source.Worker) != holder)
            {
                return false;
            }
        }

        return true;
    }
}
