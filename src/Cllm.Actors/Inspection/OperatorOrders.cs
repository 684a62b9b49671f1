using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Inspection;

/// <summary>What a coordinator's host does with an operator's order.</summary>
public static class OperatorOrders
{
    /// <summary>The input that carries it out, and what to say; no input when it is not taken.</summary>
    /// <param name="order">The order.</param>
    /// <param name="seen">The run at this moment.</param>
    /// <param name="coordinator">The node that coordinates; none where no other process can join.</param>
    /// <param name="isSuccessorThere">Whether another process could take the run over, and stays.</param>
    public static (Input? Input, RunAnswer Answer) Of(RunOrder order, CoordinatorView seen, NodeId? coordinator = null, bool isSuccessorThere = false) => order.Action switch
    {
        _ when seen.Phase == CoordinatorPhase.Ended => (null, new(false, "The run has ended.")),
        RunAction.Pause when seen.Phase == CoordinatorPhase.Paused => (null, new(true, $"The run is paused before step {seen.Step}.")),
        RunAction.Pause => (new PauseRequested(), new(true, $"The run pauses after the step under way ({seen.Step}).")),
        RunAction.Resume => (
            new ResumeRequested(), new(true, seen.Phase == CoordinatorPhase.Paused ? $"The run goes on with step {seen.Step}." : "The run is not paused; a pause that was asked for is taken back.")),
        RunAction.Checkpoint when seen.Phase is CoordinatorPhase.Paused or CoordinatorPhase.AwaitingMembers => (
            new CheckpointRequested(), new(true, $"A checkpoint before step {seen.Step} is written now, unless there is one.")),
        RunAction.Checkpoint => (new CheckpointRequested(), new(true, $"A checkpoint is written as soon as step {seen.Step} is done, unless there is one.")),
        RunAction.Drain when seen.Nodes.Length == 0 && coordinator is not null => (
            null, new(false, "The run has not begun yet, so no node takes part in it: drain it when it does, or stop its process with Ctrl-C.")),
        RunAction.Drain when seen.Nodes.Length == 0 => (null, new(false, "This run is in one process: there is no node to drain; stop it with Ctrl-C.")),
        RunAction.Drain when !seen.Nodes.Any(node => node.IsLive && node.Node.Number == order.Node) => (
            null, new(false, $"There is no node {order.Node}; there are {string.Join(", ", seen.Nodes.Where(node => node.IsLive).Select(node => node.Node))}.")),
        RunAction.Drain when !isSuccessorThere && coordinator?.Number == order.Node => (
            null, new(false, $"Node {order.Node} coordinates the run and no other process can take it over, so the run would end: stop it with Ctrl-C, or start a `cllm node --standby` first (for a run with --standbys).")),
        RunAction.Drain => (new DrainRequested(new(order.Node!.Value)), new(true, $"Node {order.Node} finishes what it was leased, and goes.")),
        _ => (null, new(false, $"There is no action {(int)order.Action}.")),
    };
}
