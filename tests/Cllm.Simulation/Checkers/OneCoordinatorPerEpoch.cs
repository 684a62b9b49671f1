using Cllm.Protocol;
using Cllm.Simulation.Cluster;

namespace Cllm.Simulation.Checkers;

/// <summary>No two coordinators ever give orders in the same epoch.</summary>
internal sealed class OneCoordinatorPerEpoch : Checker
{
    private readonly Dictionary<long, int> _coordinators = [];
    private (long Epoch, int Coordinator) _last = (-1, -1);

    public override void Sent(CoordinatorHost coordinator, Input message)
    {
        if (message is StepInput order)
        {
            Check(order.Epoch.Number, coordinator.Number);
        }
    }

    public override void Persisted(CoordinatorHost coordinator, Persist state) => Check(state.Epoch.Number, coordinator.Number);

    private void Check(long epoch, int coordinator)
    {
        if (_last == (epoch, coordinator))
        {
            return;
        }

        _last = (epoch, coordinator);
        Unless(_coordinators.TryAdd(epoch, coordinator) || _coordinators[epoch] == coordinator,
            $"coordinators {_coordinators[epoch]} and {coordinator} both act in epoch {epoch}");
    }
}
