using Cllm.Model.Compute;
using Cllm.Protocol.Tree;

namespace Cllm.Simulation.Arithmetic;

/// <summary>The run as it would be if there were no protocol at all: one worker, one loop. What every simulated run is compared with.</summary>
internal static class FaultFreeRun
{
    /// <summary>The digests after 0, 1, 2 … steps.</summary>
    public static ulong[] Digests(IArithmetic arithmetic, int leaves, int shards, long steps)
    {
        var root = new LeafTree(leaves).Lowest(new(new LeafTree(leaves).RootLevel, 0));
        var digests = new ulong[steps + 1];
        var losses = new double[leaves];
        IShardCompute[] computes = [.. Enumerable.Range(0, shards).Select(shard => arithmetic.CreateShard(shard, shards))];
        var norms = new double[computes.Sum(compute => compute.Blocks)];
        using var worker = arithmetic.CreateWorker(0);
        digests[0] = arithmetic.Digest();
        for (var step = 0; step < steps; step++)
        {
            worker.ReleaseBuffers();
            GradientSource[] sources = [new(root.Level, root.Index, worker, worker.ComputeNode(step, root.Level, root.Index, losses))];
            var block = 0;
            foreach (var compute in computes)
            {
                compute.Reduce(step, sources, norms.AsSpan(block, compute.Blocks));
                block += compute.Blocks;
            }

            var scalars = arithmetic.Combine(step, losses, norms);
            foreach (var compute in computes)
            {
                compute.Apply(step, sources, scalars);
            }

            digests[step + 1] = arithmetic.Digest();
        }

        foreach (var compute in computes)
        {
            compute.Dispose();
        }

        return digests;
    }
}
