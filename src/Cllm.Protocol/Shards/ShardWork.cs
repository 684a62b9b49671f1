using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Shards;

/// <summary>Add the shard's range of the sources in tree order; answered by <see cref="SliceReduced"/>.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Sources">Nodes that cover every leaf exactly once, in leaf order.</param>
public sealed record ReduceSlice(Epoch Epoch, Step Step, ReductionSource[] Sources) : Work;

/// <summary>Begin to get gradients to where the shard can read them, for a reduction that is likely to need them. Done at once: it has no answer.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Sources">Nodes that cover every leaf exactly once, in leaf order, in whichever buffer of their worker.</param>
public sealed record ExpectGradients(Epoch Epoch, Step Step, ReductionSource[] Sources) : Work;

/// <summary>Update the shard's slice of weights and optimizer state; answered by <see cref="SliceUpdated"/>.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Sources">The sources of the reduction.</param>
/// <param name="Payload">The step's scalars.</param>
public sealed record UpdateSlice(Epoch Epoch, Step Step, ReductionSource[] Sources, Payload Payload) : Work;

/// <summary>The shard's range has been added.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Payload">Squared norms of its blocks, in block order.</param>
public sealed record SliceReduced(Epoch Epoch, Step Step, Payload Payload) : StepInput(Epoch, Step);

/// <summary>The shard's slice has been updated.</summary>
/// <param name="Epoch">The order's epoch.</param>
/// <param name="Step">The step.</param>
public sealed record SliceUpdated(Epoch Epoch, Step Step) : StepInput(Epoch, Step);

/// <summary>
/// Send the shard's slice, weights and optimizer state, to a node, which keeps it as the shard's replica in place of an older one; answered by
/// <see cref="SliceSent"/>. It may run beside a reduction, and the slice does not change before it is answered.
/// </summary>
/// <param name="Step">The step at which the slice stands.</param>
/// <param name="Replica">The node.</param>
public sealed record SendSlice(Step Step, NodeId Replica) : Work;

/// <summary>Sending a slice is over.</summary>
/// <param name="Step">The step at which the slice stands.</param>
/// <param name="Replica">The node.</param>
/// <param name="Failure">Why the node does not hold all of it; none when it does.</param>
public sealed record SliceSent(Step Step, NodeId Replica, string? Failure) : Input;

/// <summary>The host has put the shard's slice at a step, as part of a <see cref="Coordination.Restore"/>.</summary>
/// <param name="Epoch">The epoch of the restoring.</param>
/// <param name="Step">The step.</param>
public sealed record SliceRestored(Epoch Epoch, Step Step) : Input;
