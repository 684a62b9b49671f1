using Cllm.Protocol.Identity;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Workers;

/// <summary>Compute the gradient of each of a node's leaves and add them in tree order; answered by <see cref="NodeComputed"/>.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Step">The step.</param>
/// <param name="Node">The leaves.</param>
public sealed record ComputeNode(LeaseId Lease, Step Step, LeafNode Node) : Work;

/// <summary>Evaluate held-out units; answered by <see cref="UnitsEvaluated"/>.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Step">The step whose weights are evaluated.</param>
/// <param name="First">First unit.</param>
/// <param name="Count">Number of units, at least 1.</param>
public sealed record EvaluateUnits(LeaseId Lease, Step Step, int First, int Count) : Work;

/// <summary>Every gradient buffer handed out is free again. Done at once: it has no answer.</summary>
public sealed record ReleaseBuffers : Work;

/// <summary>A node's gradient has been computed.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Buffer">Number of the buffer that holds it.</param>
/// <param name="Payload">The leaves' losses, in leaf order.</param>
public sealed record NodeComputed(LeaseId Lease, int Buffer, Payload Payload) : Input;

/// <summary>Held-out units have been evaluated.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Payload">The units' losses, in unit order.</param>
public sealed record UnitsEvaluated(LeaseId Lease, Payload Payload) : Input;

/// <summary>The worker has left the run.</summary>
public sealed record WorkerLeft : Finish;
