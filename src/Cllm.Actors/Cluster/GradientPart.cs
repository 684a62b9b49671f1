using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Actors.Cluster;

/// <summary>A sum that a shard fetches from a node.</summary>
/// <param name="holder">The node.</param>
/// <param name="node">The node of the tree.</param>
/// <param name="sources">The buffers there whose sum it is.</param>
/// <param name="buffer">Number of the shard's buffer that it comes to.</param>
internal sealed class GradientPart(NodeId holder, LeafNode node, ReadOnlyMemory<ReductionSource> sources, int buffer)
{
    public NodeId Holder => holder;

    public LeafNode Node => node;

    public ReadOnlyMemory<ReductionSource> Sources => sources;

    public int Buffer => buffer;

    /// <summary>The first of its buffers in the newest order or advice.</summary>
    public int First { get; set; }

    /// <summary>Whether all of it is in the shard's buffer.</summary>
    public bool IsHere { get; set; }

    /// <summary>Whether it could not be had when nobody waited for it: it is not asked for again before somebody does.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>
    /// Whether it is the sum that a route names. Leases are given once in a run and each has one answer, so they say what is in a buffer; in which buffer, only
    /// its worker need know.
    /// </summary>
    public bool IsSumOf(in GradientRoute route, ReductionSource[] named)
    {
        if (route.Holder != holder || route.Node != node || route.Count != sources.Length)
        {
            return false;
        }

        for (var i = 0; i < route.Count; i++)
        {
            var (own, other) = (sources.Span[i], named[route.First + i]);
            if (own.Node != other.Node || own.Worker != other.Worker || own.Buffer.Lease != other.Buffer.Lease)
            {
                return false;
            }
        }

        return true;
    }
}
