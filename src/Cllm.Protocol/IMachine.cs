namespace Cllm.Protocol;

/// <summary>
/// A pure state machine: one input and the time in, effects out. It owns no clock, thread, socket, file or random source.
/// </summary>
/// <remarks>
/// The same inputs at the same times give the same effects, wherever the machine runs: inside an actor, in a transcript, or in a simulated
/// cluster.
/// A machine is driven by one thread at a time and keeps no reference to the list of effects after the call.
/// </remarks>
public interface IMachine
{
    /// <summary>Takes one input and appends what is to be done because of it.</summary>
    /// <param name="nowTicks">The host's monotonic time, in units of 100 nanoseconds; never less than at the call before.</param>
    /// <param name="input">A message, a finished piece of work, a fact about a member, a request, or a deadline that has passed.</param>
    /// <param name="effects">Where effects are appended: state to persist, then what is sent, then work to start.</param>
    /// <exception cref="InvalidOperationException">A broken invariant: a fault of the program, with its reason.</exception>
    void Handle(long nowTicks, Input input, EffectList effects);
}
