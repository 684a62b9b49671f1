using Cllm.Protocol.Identity;

namespace Cllm.Protocol;

/// <summary>What the host does for a machine.</summary>
public abstract record Effect
{
    /// <summary>When it is done among the effects of one input: 0 what is persisted, 1 what is sent, 2 work that is started.</summary>
    internal abstract int Rank { get; }
}

/// <summary>
/// Persist the coordinator's state before anything else happens, so that a successor fences what came before it. A host that finds a higher epoch persisted,
/// or the same one by another coordinator, or that cannot persist, stops the machine and performs none of its other effects: one coordinator per epoch.
/// </summary>
/// <param name="Epoch">The epoch from now on.</param>
/// <param name="Step">The step that comes next: all before it are committed.</param>
public sealed record Persist(Epoch Epoch, Step Step) : Effect
{
    internal override int Rank => 0;
}

/// <summary>Send a message to another machine. It may be lost, doubled, delayed or overtaken.</summary>
/// <param name="To">Who gets it.</param>
/// <param name="Message">An <see cref="IMessage"/>.</param>
public sealed record Send(Destination To, Input Message) : Effect
{
    internal override int Rank => 1;
}

/// <summary>
/// Give the machine <see cref="DeadlinePassed"/> at this time. A machine has at most one deadline; a new one replaces it.
/// </summary>
/// <param name="AtTicks">Time of the host's clock, in units of 100 nanoseconds.</param>
public sealed record DeadlineSet(long AtTicks) : Effect
{
    internal override int Rank => 1;
}

/// <summary>Tell whoever watches why the machine decided something. A step in which nothing goes wrong says nothing.</summary>
/// <param name="Reason">One sentence.</param>
public sealed record Note(string Reason) : Effect
{
    internal override int Rank => 1;
}

/// <summary>A result for whoever watches the run.</summary>
public abstract record Report : Effect
{
    internal sealed override int Rank => 1;
}

/// <summary>Work for the host: its result comes back as an input. A worker and a shard start one piece of work at a time.</summary>
public abstract record Work : Effect
{
    internal sealed override int Rank => 2;
}

/// <summary>The machine is done for good and drops every later input.</summary>
public abstract record Finish : Effect
{
    internal sealed override int Rank => 2;
}
