using Akka.Actor;
using Cllm.Actors;
using Cllm.Protocol;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>A machine, driven by the program's own loop, with effects that are performed in virtual time.</summary>
internal abstract class SimulatedActor : IEffectPerformer
{
    private readonly MachineRunner _runner;
    private long _deadline;

    protected SimulatedActor(SimulatedCluster cluster, SimulatedNode node, IMachine machine)
    {
        (Cluster, Node) = (cluster, node);
        _runner = new(machine, this);
    }

    public SimulatedNode Node { get; }

    /// <summary>Whether it has neither failed nor been replaced, nor died with its process.</summary>
    public bool IsAlive { get; set; } = true;

    public long NowTicks => Node.Clock(Cluster.NowTicks);

    /// <summary>Its address.</summary>
    public abstract Destination Address { get; }

    protected SimulatedCluster Cluster { get; }

    public void Feed(Input input) => Do(() =>
    {
        _runner.Feed(input);
        Fed();
    });

    /// <summary>Takes a message from wherever.</summary>
    public virtual void Take(Input message) => Feed(message);

    /// <summary>Takes what another actor or the program's own classes tell it beside the machines' messages.</summary>
    public void Take(Told told) => Do(() => Take(told.Message, told.Sender));

    public Input? Perform(Effect effect)
    {
        if (!IsAlive || (Node.EffectsLeft >= 0 && Node.EffectsLeft-- == 0))
        {
            throw new ProcessDied();
        }

        if (Cluster.Strikes(FaultKind.FailureAmidEffects))
        {
            throw new ActorFailed();
        }

        if (Cluster.IsTracing)
        {
            Cluster.Trace($"  {Address} on node {Node.Index}: {effect}");
        }

        return Do(effect);
    }

    /// <summary>The deadline of this number has come; a newer one has replaced it unless it is the last.</summary>
    public void PassDeadline(object number)
    {
        if ((long)number == _deadline)
        {
            Feed(new DeadlinePassed());
        }
    }

    /// <summary>Sets the machine's one deadline.</summary>
    protected void SetDeadline(DeadlineSet deadline) =>
        Cluster.PlanAt(Node.WhenClockShows(deadline.AtTicks, Cluster.NowTicks), EventKind.Deadline, Address, this, ++_deadline);

    /// <summary>The machine was fed: work that waits may be void by now.</summary>
    protected virtual void Fed()
    {
    }

    /// <summary>Takes what is told beside the machines' messages.</summary>
    protected virtual void Take(object message, IActorRef sender)
    {
    }

    /// <summary>Performs an effect.</summary>
    protected abstract Input? Do(Effect effect);

    /// <summary>The actor has failed, and supervision does what it does.</summary>
    protected abstract void Fail();

    /// <summary>The work will be over after this time.</summary>
    protected Input? Work(long durationTicks, object body)
    {
        Cluster.Plan((durationTicks * Node.Slowness) + Cluster.HangTicks(), EventKind.WorkDone, Address, this, body);
        return null;
    }

    private void Do(Action action)
    {
        try
        {
            action();
        }
        catch (ProcessDied)
        {
            Cluster.Crash(Node);
        }
        catch (ActorFailed)
        {
            if (Cluster.IsTracing)
            {
                Cluster.Trace($"  {Address} on node {Node.Index} fails");
            }

            Fail();
        }
        catch (Deposed)
        {
            IsAlive = false;
        }
    }

    /// <summary>The actor may go on no longer.</summary>
    protected sealed class Deposed : Exception;

    /// <summary>What the actor was at has thrown.</summary>
    protected sealed class ActorFailed : Exception;

    /// <summary>The process dies at this very place: nothing after it happens.</summary>
    private sealed class ProcessDied : Exception;
}
