using Cllm.Protocol;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;
using Cllm.Simulation.Cluster;

namespace Cllm.Simulation.Checkers;

/// <summary>Each reduction that is ordered counts every leaf of its step exactly once, in order.</summary>
internal sealed class EveryLeafOnce(LeafTree tree) : Checker
{
    private ReductionSource[]? _checked;

    public override void Sent(CoordinatorHost coordinator, Input message)
    {
        if (message is not ReductionOrdered order || ReferenceEquals(order.Sources, _checked))
        {
            return;
        }

        var leaf = 0;
        foreach (var source in order.Sources)
        {
            Unless(LeafTree.First(source.Node) == leaf, $"step {order.Step} counts leaf {leaf} other than once");
            leaf = tree.End(source.Node);
        }

        Unless(leaf == tree.Leaves, $"step {order.Step} counts {leaf} of {tree.Leaves} leaves");
        _checked = order.Sources;
    }
}
