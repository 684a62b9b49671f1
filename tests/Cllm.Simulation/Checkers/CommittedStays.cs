using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Simulation.Cluster;

namespace Cllm.Simulation.Checkers;

/// <summary>A step that was reported keeps its scalars and its digest for good; steps are persisted one by one; and a finished run has persisted all.</summary>
internal sealed class CommittedStays(long steps) : Checker
{
    private readonly Dictionary<long, (Payload Scalars, ulong? Digest)> _reported = [];

    /// <summary>The newest step that was ever persisted.</summary>
    private long _persisted;

    public override void Persisted(CoordinatorHost coordinator, Persist state)
    {
        Unless(state.Step.Number <= _persisted + 1, $"step {state.Step} is persisted after step {_persisted}");
        _persisted = Math.Max(_persisted, state.Step.Number);
    }

    public override void Reported(StepReported report, ulong? digest)
    {
        var step = report.Step.Number;
        Unless(step < _persisted, $"step {step} is reported before it is persisted");
        if (_reported.TryGetValue(step, out var before))
        {
            Unless(before.Digest is null || digest is null || before.Digest == digest, $"step {step} was committed with another digest before");
            Unless(before.Scalars.Words.SequenceEqual(report.Payload.Words), $"step {step} was committed with other scalars before");
            digest ??= before.Digest;
        }

        _reported[step] = (report.Payload, digest);
    }

    public override void AtEnd(SimulatedCluster cluster) => Unless(cluster.PersistedStep == steps, $"{cluster.PersistedStep} of {steps} steps are persisted");
}
