using Cllm.Protocol.Identity;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Messages;

/// <summary>Where the gradient of a node is.</summary>
/// <param name="Node">The node.</param>
/// <param name="Worker">The worker that holds it.</param>
/// <param name="Buffer">The buffer there.</param>
public readonly record struct ReductionSource(LeafNode Node, WorkerId Worker, BufferLease Buffer)
{
    /// <summary>As in <c>1:0/w2/b3@17</c>: node 1:0 is in buffer 3 of worker 2, held for lease 17.</summary>
    public override string ToString() => $"{Node}/w{Worker}/b{Buffer}";
}

/// <summary>
/// Advice to every shard: this is where a step's gradients will be if every lease is answered as it stands. A shard may begin to get them to where it can read
/// them. No answer depends on it; it may be wrong, late, doubled or lost.
/// </summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Sources">
/// Nodes that cover every leaf exactly once, in leaf order, in whichever buffer of their worker. Never changed after it was sent.
/// </param>
public sealed record GradientsExpected(Epoch Epoch, Step Step, ReductionSource[] Sources) : StepInput(Epoch, Step), IMessage;

/// <summary>Order to a shard: add its range of these gradients in tree order.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Sources">Nodes that cover every leaf exactly once, in leaf order. Never changed after it was sent.</param>
/// <param name="Incarnation">
/// The incarnation of the shard that it is for: one that was lost since must not begin what nobody awaits.
/// </param>
public sealed record ReductionOrdered(Epoch Epoch, Step Step, ReductionSource[] Sources, Incarnation Incarnation)
    : StepInput(Epoch, Step), IMessage;

/// <summary>A shard has added its range.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Shard">Who answers.</param>
/// <param name="Payload">Squared norms of its blocks, in block order.</param>
public sealed record ShardReduced(Epoch Epoch, Step Step, ShardIndex Shard, Payload Payload) : StepInput(Epoch, Step), IMessage;

/// <summary>Order to every shard: all shards have reduced; update your slice.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Payload">The step's scalars, such as learning rate and clip scale.</param>
public sealed record StepCommitted(Epoch Epoch, Step Step, Payload Payload) : StepInput(Epoch, Step), IMessage;

/// <summary>A shard's slice stands at the step after this one.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Shard">Who answers.</param>
public sealed record ShardUpdated(Epoch Epoch, Step Step, ShardIndex Shard) : StepInput(Epoch, Step), IMessage;

/// <summary>Answer to a reduction order: the shard's slice does not stand at that step, for it was not reached when the others were brought back.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The order's step.</param>
/// <param name="Shard">Who answers.</param>
/// <param name="Slice">The step at which its slice stands; none when the slice is missing.</param>
public sealed record ShardUnfit(Epoch Epoch, Step Step, ShardIndex Shard, Step? Slice) : StepInput(Epoch, Step), IMessage;
