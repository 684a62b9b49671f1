using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Simulation.Cluster;
using Cllm.Simulation.Engine;

namespace Cllm.Simulation.Checkers;

/// <summary>Watches a simulation and stops it when what it guards is broken.</summary>
internal abstract class Checker
{
    private string Name => GetType().Name;

    /// <summary>A coordinator sends a message.</summary>
    public virtual void Sent(CoordinatorHost coordinator, Input message) { }

    /// <summary>A coordinator has persisted its state.</summary>
    public virtual void Persisted(CoordinatorHost coordinator, Persist state) { }

    /// <summary>A step is done, and the digest is that of the state after it; none when a shard has been lost in the meantime.</summary>
    public virtual void Reported(StepReported report, ulong? digest) { }

    /// <summary>The run has finished, and what was on its way has arrived.</summary>
    public virtual void AtEnd(SimulatedCluster cluster) { }

    /// <summary>Virtual time goes on.</summary>
    public virtual void Tick(SimulatedCluster cluster) { }

    protected void Unless(bool condition, string reason) => SimulationViolation.Unless(condition, Name, reason);
}
