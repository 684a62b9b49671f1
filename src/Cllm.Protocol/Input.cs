using Cllm.Protocol.Identity;

namespace Cllm.Protocol;

/// <summary>What a machine takes in, one at a time.</summary>
public abstract record Input;

/// <summary>An input that belongs to one attempt at one step; the <see cref="Fence"/> drops it when that attempt is over.</summary>
/// <param name="Epoch">The epoch under which it was sent or ordered.</param>
/// <param name="Step">The step it is about.</param>
public abstract record StepInput(Epoch Epoch, Step Step) : Input;

/// <summary>Marks the inputs that travel from machine to machine; all others come from the machine's own host.</summary>
public interface IMessage;

/// <summary>The host has set the machine up: it announces itself.</summary>
public sealed record MachineStarted : Input;

/// <summary>The worker, or the node with all it has, is to leave the run when nothing it holds is needed any more.</summary>
public sealed record LeaveRequested : Input;

/// <summary>The time that the machine asked for with <see cref="DeadlineSet"/> has come.</summary>
public sealed record DeadlinePassed : Input;
