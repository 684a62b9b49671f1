using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Protocol.Identity;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a simulated process gives out: what the program's store does, unless a fault is planted in it.</summary>
internal sealed class SimulatedStore(SimulatedCluster cluster, NodeStore store) : ITensorStore
{
    public TensorSignal Changed => store.Changed;

    public ITensorReader CreateReader() =>
        cluster.Scenario.Plant == PlantedFault.StateOfAnotherStep ? new Careless(store.CreateReader()) : store.CreateReader();

    /// <summary>Gives a slice out at whatever step it stands.</summary>
    private sealed class Careless(ITensorReader reader) : ITensorReader
    {
        private const int StepsMax = 100;

        private bool _isState;

        public TensorOpening Open(in TensorRequest request)
        {
            _isState = request.Kind == TensorKind.State;
            var opening = reader.Open(request);
            for (var step = 0; _isState && opening.State != OpeningState.Ready && step < StepsMax; step++)
            {
                opening = reader.Open(TensorRequest.State(request.Epoch, new Step(step), new(request.Number), request.Offset, request.Length));
            }

            return opening;
        }

        public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch) => reader.Read(section, offset, length, scratch);

        public TensorRefusal Close()
        {
            var refusal = reader.Close();
            return _isState ? TensorRefusal.None : refusal;
        }

        public void Dispose() => reader.Dispose();
    }
}
