using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Protocol.Identity;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <summary>What a simulated process gives out: sums of its workers' gradients, and the slices of its shards.</summary>
internal sealed class ProcessStore(SimulatedCluster cluster, SimulatedNode node, ProcessSlices slices) : ITensorStore
{
    public TensorSignal Changed => slices.Changed;

    public ITensorReader CreateReader() => new Reader(cluster, node);

    private sealed class Reader(SimulatedCluster cluster, SimulatedNode node) : ITensorReader
    {
        private TensorRequest _request;
        private float[][] _sections = [];

        public TensorOpening Open(in TensorRequest request)
        {
            _request = request;
            return request.Kind == TensorKind.Gradient ? OpenGradient() : OpenSlice();
        }

        public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch)
        {
            if (_request.Kind != TensorKind.Gradient)
            {
                return MemoryMarshal.AsBytes(_sections[section].AsSpan()).Slice((int)offset, length);
            }

            if (Find() is not { } sources)
            {
                return [];
            }

            var range = new ParameterRange((int)(_request.Offset + (offset / sizeof(float))), length / sizeof(float));
            cluster.Arithmetic.AddUp(sources, _request.Node, range, MemoryMarshal.Cast<byte, float>(scratch[..length]));
            return scratch[..length];
        }

        public TensorRefusal Close() =>
            _request.Kind == TensorKind.Gradient ? Find() is not null ? TensorRefusal.None : new(RefusalReason.Withdrawn, "a gradient was released")
            : Slice() == _request.Step.Number ? TensorRefusal.None
            : new(RefusalReason.Withdrawn, "the slice has changed");

        public void Dispose()
        {
        }

        private TensorOpening OpenGradient() =>
            Find() is not null ? TensorOpening.Ready : TensorOpening.Refuse(RefusalReason.Gone, "a worker does not hold that gradient any more");

        private TensorOpening OpenSlice()
        {
            if (Seat() is not { } seat)
            {
                return TensorOpening.Refuse(RefusalReason.Unknown, "that shard is not here");
            }

            if (Slice() > _request.Step.Number)
            {
                return TensorOpening.Refuse(RefusalReason.Gone, "the shard is further on");
            }

            if (Slice() != _request.Step.Number || ContentOf(seat) is not { } content)
            {
                return TensorOpening.NotYet;
            }

            _sections = cluster.Arithmetic.Sections(content);
            return TensorOpening.Ready;
        }

        private ShardSeat? Seat() => node.Shards.GetValueOrDefault(_request.Number) is { Actor: not null } seat ? seat : null;

        private long? Slice() => Seat()?.Slice;

        private object? ContentOf(ShardSeat seat) =>
            _request.Kind == TensorKind.State && cluster.Scenario.Plant == PlantedFault.ReplicaOneStepOld && seat.Actor!.Before is { } before
                ? before
                : cluster.ContentOf(seat);

        private GradientSource[]? Find()
        {
            var found = new GradientSource[_request.Sources.Length];
            for (var i = 0; i < found.Length; i++)
            {
                var source = _request.Sources.Span[i];
                if (cluster.Workers[source.Worker.Number].Node != node || cluster.Gradients.Look(source, 0, out found[i]) != GradientState.Ready)
                {
                    return null;
                }
            }

            return found;
        }
    }
}
