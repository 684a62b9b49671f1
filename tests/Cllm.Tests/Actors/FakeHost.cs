using System.Security.Cryptography;
using System.Runtime.InteropServices;
using Cllm.Model.Compute;
using Cllm.Protocol.Tree;

namespace Cllm.Tests.Actors;

/// <summary>
/// A run whose gradients are hashes of step, leaf and weights. Sums of floats are not associative, so a leaf lost, doubled or misplaced
/// shows in the digest.
/// </summary>
internal sealed class FakeHost(int leaves) : IRunHost
{
    private const int Parameters = 240;
    private const int BlockParameters = 16;

    private readonly LeafTree _tree = new(leaves);
    private readonly float[] _weights = Initial();
    private readonly float[] _moments = new float[Parameters];
    private (long Step, float[] Weights, float[] Moments) _snapshot;
    private (long Step, float[] Weights, float[] Moments) _saved = (0, Initial(), new float[Parameters]);
    private int _liveWorkers;
    private int _liveShards;

    public int EvaluationUnits { get; init; } = 5;

    /// <summary>Called before a worker's arithmetic is made: may throw.</summary>
    public Action<int> BeforeCreateWorker { get; init; } = _ => { };

    /// <summary>Called before a worker computes a node: may throw.</summary>
    public Action<int, long> BeforeCompute { get; init; } = (_, _) => { };

    /// <summary>Called before a shard reduces: may throw.</summary>
    public Action<int, long> BeforeReduce { get; init; } = (_, _) => { };

    /// <summary>Called when a shard has updated half of its slice: may throw.</summary>
    public Action<int, long> AmidApply { get; init; } = (_, _) => { };

    /// <summary>Called before a checkpoint is written: may throw.</summary>
    public Action<long> BeforeWrite { get; init; } = _ => { };

    /// <summary>Called before the scalars are made: may throw.</summary>
    public Action<long> BeforeCombine { get; init; } = _ => { };

    public int Restores { get; private set; }

    public int LiveComputes => _liveWorkers + _liveShards;

    public string Digest => DigestOf(_weights, _moments);

    public int Shards(int wanted) => wanted;

    public IWorkerCompute CreateWorker(int worker)
    {
        BeforeCreateWorker(worker);
        Interlocked.Increment(ref _liveWorkers);
        return new WorkerCompute(this, worker);
    }

    public IShardCompute CreateShard(int shard, int shards)
    {
        Interlocked.Increment(ref _liveShards);
        var blocks = Parameters / BlockParameters;
        return new ShardCompute(this, shard, blocks * shard / shards, blocks * (shard + 1) / shards);
    }

    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms)
    {
        BeforeCombine(step);
        Assert.Equal(leaves, leafLosses.Length);
        Assert.Equal(Parameters / BlockParameters, blockNorms.Length);
        return new(Sum(leafLosses), Math.Sqrt(Sum(blockNorms)), 0.01 / (step + 1), (float)(1 / (1 + Sum(blockNorms))));
    }

    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses)
    {
        Assert.Equal(EvaluationUnits, unitLosses.Length);
        return Sum(unitLosses);
    }

    public void TakeSnapshot(long step) => _snapshot = (step, [.. _weights], [.. _moments]);

    public string WriteSnapshot(long step)
    {
        BeforeWrite(step);
        Assert.Equal(_snapshot.Step, step);
        _saved = _snapshot;
        return DigestOf(_saved.Weights, _saved.Moments);
    }

    public long Restore()
    {
        Restores++;
        _saved.Weights.CopyTo(_weights, 0);
        _saved.Moments.CopyTo(_moments, 0);
        return _saved.Step;
    }

    private static float[] Initial() => [.. Enumerable.Range(0, Parameters).Select(i => Noise(i, 1, 2))];

    private static float Noise(long first, long second, long third)
    {
        var hash = ((ulong)first * 0x9E3779B97F4A7C15) ^ ((ulong)second * 0xC2B2AE3D27D4EB4F) ^ ((ulong)third * 0x165667B19E3779F9);
        hash = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9;
        return ((hash >> 40) / (float)(1 << 24)) - 0.5f;
    }

    private static double Sum(ReadOnlySpan<double> numbers)
    {
        var sum = 0.0;
        foreach (var number in numbers)
        {
            sum += number;
        }

        return sum;
    }

    private static string DigestOf(float[] weights, float[] moments) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>([.. weights, .. moments])));

    private long WeightsHash()
    {
        var hash = 0L;
        foreach (var weight in _weights)
        {
            hash = (hash * 31) + BitConverter.SingleToInt32Bits(weight);
        }

        return hash;
    }

    private sealed class WorkerCompute(FakeHost host, int worker) : IWorkerCompute
    {
        private readonly List<float[]> _buffers = [];
        private int _held;
        private bool _isDisposed;

        public int ComputeNode(long step, int level, int index, Span<double> leafLosses, GradientSettled? settled = null)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            host.BeforeCompute(worker, step);
            if (_held == _buffers.Count)
            {
                _buffers.Add(new float[Parameters]);
            }

            var node = new LeafNode(level, index);
            var hash = host.WeightsHash();
            Sum(node, step, hash).CopyTo(_buffers[_held].AsSpan());
            for (var i = 0; i < leafLosses.Length; i++)
            {
                leafLosses[i] = Noise(step, LeafTree.First(node) + i, hash);
            }

            return _held++;
        }

        public void ReleaseBuffers() => _held = 0;

        public ReadOnlySpan<float> Buffer(int number)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _buffers[number];
        }

        public void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses)
        {
            for (var i = 0; i < units; i++)
            {
                unitLosses[i] = Noise(step, firstUnit + i, host.WeightsHash());
            }
        }

        public void Dispose()
        {
            _isDisposed = true;
            Interlocked.Decrement(ref host._liveWorkers);
        }

        private float[] Sum(LeafNode node, long step, long hash)
        {
            if (node.Level == 0)
            {
                return [.. Enumerable.Range(0, Parameters).Select(i => Noise(step, (node.Index * Parameters) + i, hash))];
            }

            var (left, right) = host._tree.Children(node);
            return [.. Sum(left, step, hash).Zip(Sum(right, step, hash), (a, b) => a + b)];
        }
    }

    private sealed class ShardCompute(FakeHost host, int shard, int firstBlock, int endBlock) : IShardCompute
    {
        public int Blocks => endBlock - firstBlock;

        public void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms)
        {
            host.BeforeReduce(shard, step);
            for (var block = firstBlock; block < endBlock; block++)
            {
                var norm = 0.0;
                for (var i = block * BlockParameters; i < (block + 1) * BlockParameters; i++)
                {
                    var gradient = Gradient(sources, i, host._tree.Lowest(new(host._tree.RootLevel, 0)));
                    norm += (double)gradient * gradient;
                }

                blockNorms[block - firstBlock] = norm;
            }
        }

        public void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars)
        {
            var (first, end) = (firstBlock * BlockParameters, endBlock * BlockParameters);
            for (var i = first; i < end; i++)
            {
                if (i == (first + end) / 2)
                {
                    host.AmidApply(shard, step);
                }

                var gradient = scalars.ClipScale * Gradient(sources, i, host._tree.Lowest(new(host._tree.RootLevel, 0)));
                host._moments[i] = (0.9f * host._moments[i]) + (0.1f * gradient);
                host._weights[i] -= (float)scalars.LearningRate * host._moments[i];
            }
        }

        public void Dispose() => Interlocked.Decrement(ref host._liveShards);

        private float Gradient(ReadOnlySpan<GradientSource> sources, int i, LeafNode node)
        {
            foreach (var source in sources)
            {
                if (source.Level == node.Level && source.Index == node.Index)
                {
                    return source.Holder.Buffer(source.Buffer)[i];
                }
            }

            var (left, right) = host._tree.Children(node);
            return Gradient(sources, i, left) + Gradient(sources, i, right);
        }
    }
}
