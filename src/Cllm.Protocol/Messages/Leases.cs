using Cllm.Protocol.Identity;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Messages;

/// <summary>Order to a worker: it has work to do and, maybe, buffers to give up first.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Lease">The lease under which it answers.</param>
/// <param name="Incarnation">The incarnation of the worker that it is for.</param>
/// <param name="ReleasedBelow">Every buffer held for a lease below this one is free again, and every such lease is void.</param>
public abstract record LeaseOrder(Epoch Epoch, Step Step, LeaseId Lease, Incarnation Incarnation, LeaseId ReleasedBelow)
    : StepInput(Epoch, Step);

/// <summary>Order to a worker: compute the summed gradient of a node's leaves.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Lease">The lease under which it answers.</param>
/// <param name="Node">The leaves.</param>
/// <param name="Incarnation">The incarnation of the worker that it is for.</param>
/// <param name="ReleasedBelow">Every buffer held for a lease below this one is free again, and every such lease is void.</param>
public sealed record LeafLeased(Epoch Epoch, Step Step, LeaseId Lease, LeafNode Node, Incarnation Incarnation, LeaseId ReleasedBelow)
    : LeaseOrder(Epoch, Step, Lease, Incarnation, ReleasedBelow), IMessage;

/// <summary>Order to a worker: evaluate a range of held-out units at the weights of a step.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step whose weights are evaluated.</param>
/// <param name="Lease">The lease under which it answers.</param>
/// <param name="First">First unit.</param>
/// <param name="Count">Number of units, at least 1.</param>
/// <param name="Incarnation">The incarnation of the worker that it is for.</param>
/// <param name="ReleasedBelow">Every buffer held for a lease below this one is free again, and every such lease is void.</param>
public sealed record EvaluationLeased(
    Epoch Epoch, Step Step, LeaseId Lease, int First, int Count, Incarnation Incarnation, LeaseId ReleasedBelow)
    : LeaseOrder(Epoch, Step, Lease, Incarnation, ReleasedBelow), IMessage;

/// <summary>
/// Order to every worker: all buffers held for older leases are free again. Between steps it rides on the next lease instead.
/// </summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step that comes next.</param>
/// <param name="ReleasedBelow">Every buffer held for a lease below this one is free again, and every such lease is void.</param>
public sealed record BuffersReleased(Epoch Epoch, Step Step, LeaseId ReleasedBelow) : StepInput(Epoch, Step), IMessage;

/// <summary>Answer of a worker to its lease.</summary>
/// <param name="Epoch">The lease's epoch.</param>
/// <param name="Step">The lease's step.</param>
/// <param name="Lease">The lease.</param>
/// <param name="Worker">Who answers.</param>
/// <param name="Payload">What its host found, one word per leaf or unit.</param>
public abstract record LeaseAnswer(Epoch Epoch, Step Step, LeaseId Lease, WorkerId Worker, Payload Payload) : StepInput(Epoch, Step);

/// <summary>A node's gradient is in a buffer at the worker, which holds it until it is released.</summary>
/// <param name="Epoch">The lease's epoch.</param>
/// <param name="Step">The lease's step.</param>
/// <param name="Lease">The lease.</param>
/// <param name="Worker">Who answers.</param>
/// <param name="Buffer">Where the gradient is.</param>
/// <param name="Payload">The leaves' losses, in leaf order.</param>
public sealed record GradientReady(Epoch Epoch, Step Step, LeaseId Lease, WorkerId Worker, BufferLease Buffer, Payload Payload)
    : LeaseAnswer(Epoch, Step, Lease, Worker, Payload), IMessage;

/// <summary>A range of held-out units has been evaluated.</summary>
/// <param name="Epoch">The lease's epoch.</param>
/// <param name="Step">The step whose weights were evaluated.</param>
/// <param name="Lease">The lease.</param>
/// <param name="Worker">Who answers.</param>
/// <param name="First">First unit.</param>
/// <param name="Count">Number of units.</param>
/// <param name="Payload">The units' losses, in unit order.</param>
public sealed record EvaluationReady(Epoch Epoch, Step Step, LeaseId Lease, WorkerId Worker, int First, int Count, Payload Payload)
    : LeaseAnswer(Epoch, Step, Lease, Worker, Payload), IMessage;

/// <summary>Advice to a worker: another one computes this, or has; skip it unless it is begun. Nothing depends on its arrival.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step.</param>
/// <param name="Lease">The lease that is void.</param>
/// <param name="Incarnation">The incarnation of the worker that it is for.</param>
public sealed record LeaseRevoked(Epoch Epoch, Step Step, LeaseId Lease, Incarnation Incarnation) : StepInput(Epoch, Step), IMessage;
