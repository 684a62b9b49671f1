using System.Runtime.InteropServices;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Tree;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Arithmetic;

/// <summary>
/// Gradients that are hashes of step, leaf and weights, added in the tree by a mix that is neither commutative nor associative: a leaf that is lost, doubled
/// or misplaced changes every later digest. Weights and moments of a slice are a hash each. Its checkpoints are real ones of a very small model.
/// </summary>
internal sealed class StandIn : IArithmetic
{
    private const string ConfigurationDigest = "stand-in";
    private const int SliceFloats = 2;
    private static readonly ParameterLayout Layout = new(new GptShape(Vocabulary: 5, Block: 3, Layers: 1, Heads: 2, Width: 4));

    private readonly CheckpointStore _checkpoints;
    private readonly LeafTree _tree;
    private readonly int _shards;
    private readonly PlantedFault _plant;
    private RunState? _snapshot;

    /// <summary>The state before the last step, kept only to plant a fault.</summary>
    private RunState? _before;
    private int _computed;

    public StandIn(CheckpointStore checkpoints, int leaves, int shards, int evaluationUnits, PlantedFault plant)
    {
        (_checkpoints, _tree, _shards, _plant, EvaluationUnits) = (checkpoints, new(leaves), shards, plant, evaluationUnits);
        Start();
    }

    public RunState State { get; } = new(Layout);

    public CheckpointStore Checkpoints => _checkpoints;

    public long NewestCheckpoint => _checkpoints.ListSteps() is [.., var newest] ? newest : 0;

    public int EvaluationUnits { get; }

    public bool IsTorn { get; set; }

    private Span<ulong> Weights => Hashes(State.Weights);

    private Span<ulong> FirstMoments => Hashes(State.FirstMoment);

    private Span<ulong> SecondMoments => Hashes(State.SecondMoment);

    public int Shards(int wanted) => _shards;

    public IReadOnlyList<ParameterRange> Ranges(int shards) =>
        [.. Enumerable.Range(0, shards).Select(shard => new ParameterRange(Layout.Tensors[0].Offset + (SliceFloats * shard), SliceFloats))];

    public IWorkerCompute CreateWorker(int worker) => new WorkerCompute(this);

    public IShardCompute CreateShard(int shard, int shards) => new ShardCompute(this, shard, null);

    public IShardCompute CreateShard(int shard, int shards, AlignedBuffer? kept) => new ShardCompute(this, shard, kept);

    public IGradientSum CreateSum() => new GradientSum(this);

    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms)
    {
        if (_plant == PlantedFault.SnapshotOneStepOld)
        {
            (_before ??= new(Layout)).CopyFrom(State);
        }

        return new(Number(Fold(leafLosses, Fold(blockNorms, 3))), 0, 0, 0);
    }

    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses) => Number(Fold(unitLosses, 5));

    public void TakeSnapshot(long step) => (_snapshot ??= new(Layout)).CopyFrom(_before ?? State);

    public string WriteSnapshot(long step)
    {
        _checkpoints.Write(new()
        {
            Step = step,
            Layout = Layout,
            ConfigurationDigest = ConfigurationDigest,
            Weights = _snapshot!.Weights.Span,
            M = _snapshot.FirstMoment.Span,
            V = _snapshot.SecondMoment.Span,
        });
        return "";
    }

    public long Restore()
    {
        var step = _checkpoints.ReadNewest(
            Layout, ConfigurationDigest, State.Weights.Span, State.FirstMoment.Span, State.SecondMoment.Span, _ => { });
        if (step is null)
        {
            Start();
        }

        return step ?? 0;
    }

    public CheckpointCopy? BeginCopy(long step, byte[] state) => _checkpoints.BeginCopy(step, state, Layout, ConfigurationDigest);

    public ulong Digest()
    {
        var hash = WeightsHash();
        for (var shard = 0; shard < _shards; shard++)
        {
            hash = Hash((long)hash, (long)FirstMoments[shard], SecondMoments[shard]);
        }

        return hash;
    }

    public void Spoil(int shard)
    {
        Weights[shard] = Hash(shard, 23, Weights[shard]);
        FirstMoments[shard] = Hash(shard, 29, Weights[shard]);
    }

    public void Dispose()
    {
        State.Dispose();
        _snapshot?.Dispose();
        _before?.Dispose();
    }

    private static double Number(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong Fold(ReadOnlySpan<double> numbers, ulong start)
    {
        foreach (var number in numbers)
        {
            start = Hash(BitConverter.DoubleToInt64Bits(number), 2, start);
        }

        return start;
    }

    private static ulong Add(ulong left, ulong right) => Hash((long)left, 19, right);

    private static ulong Hash(long first, long second, ulong third)
    {
        var hash = ((ulong)first * 0x9E3779B97F4A7C15) ^ ((ulong)second * 0xC2B2AE3D27D4EB4F) ^ (third * 0x165667B19E3779F9);
        hash = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9;
        return hash ^ (hash >> 32);
    }

    private Span<ulong> Hashes(AlignedBuffer vector) =>
        MemoryMarshal.Cast<float, ulong>(vector.Span.Slice(Layout.Tensors[0].Offset, SliceFloats * _shards));

    private void Start()
    {
        for (var shard = 0; shard < _shards; shard++)
        {
            (Weights[shard], FirstMoments[shard], SecondMoments[shard]) = ((ulong)shard + 1, 0, 0);
        }
    }

    private ulong WeightsHash()
    {
        var hash = 17UL;
        foreach (var slice in Weights)
        {
            hash = Hash((long)hash, 1, slice);
        }

        return hash;
    }

    private ulong Total(LeafNode node, ReadOnlySpan<GradientSource> sources, ref int at)
    {
        if (sources[at].Level == node.Level && sources[at].Index == node.Index)
        {
            var source = sources[at++];
            return MemoryMarshal.Cast<float, ulong>(source.Holder.Buffer(source.Buffer))[0];
        }

        var (left, right) = _tree.Children(node);
        var sum = Total(left, sources, ref at);
        return Add(sum, Total(right, sources, ref at));
    }

    private ulong Sum(LeafNode node, long step, ulong weights)
    {
        if (node.Level == 0)
        {
            return Hash(step, node.Index, weights);
        }

        var (left, right) = _tree.Children(node);
        return Add(Sum(left, step, weights), Sum(right, step, weights));
    }

    private sealed class WorkerCompute(StandIn host) : IWorkerCompute
    {
        private ulong[] _buffers = new ulong[4];
        private int _held;

        public int ComputeNode(long step, int level, int index, Span<double> leafLosses, GradientSettled? settled = null)
        {
            if (_held == _buffers.Length)
            {
                Array.Resize(ref _buffers, 2 * _held);
            }

            var node = new LeafNode(level, index);
            var weights = host.WeightsHash() + (host.IsTorn ? 1UL : 0);
            var sum = host.Sum(node, step, weights);
            if (host._plant == PlantedFault.LeafCountedTwice && ++host._computed % 100 == 0)
            {
                sum = Add(sum, Hash(step, LeafTree.First(node), weights));
            }

            for (var i = 0; i < leafLosses.Length; i++)
            {
                leafLosses[i] = Number(Hash(LeafTree.First(node) + i, 7, weights));
            }

            _buffers[_held] = sum;
            for (var shard = host._shards - 1; shard > 0; shard--)
            {
                settled?.Invoke(_held, Layout.Tensors[0].Offset + (SliceFloats * shard));
            }

            return _held++;
        }

        public void ReleaseBuffers() => _held = 0;

        public ReadOnlySpan<float> Buffer(int number) => MemoryMarshal.Cast<ulong, float>(_buffers.AsSpan(number, 1));

        public void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses)
        {
            var weights = host.WeightsHash();
            for (var i = 0; i < units; i++)
            {
                unitLosses[i] = Number(Hash(firstUnit + i, 11, weights));
            }
        }

        public void Dispose() { }
    }

    private sealed class ShardCompute(StandIn host, int shard, AlignedBuffer? kept) : IShardCompute
    {
        public int Blocks => 1;

        public void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms)
        {
            var gradient = Gradient(sources);
            if (kept is not null)
            {
                MemoryMarshal.Cast<float, ulong>(kept.Span)[0] = gradient;
            }

            blockNorms[0] = Number(gradient);
        }

        public void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars)
        {
            // Who holds a copy has no sources.
            var times = !sources.IsEmpty ? 1
                : host._plant == PlantedFault.ReplicaOneStepOld ? 0
                : host._plant == PlantedFault.CopyUpdatedTwice && ++host._computed % 100 == 0 ? 2
                : 1;
            var gradient = kept is null ? Gradient(sources) : MemoryMarshal.Cast<float, ulong>(kept.Span)[0];
            var loss = BitConverter.DoubleToUInt64Bits(scalars.Loss);
            for (; times > 0; times--)
            {
                ref var first = ref host.FirstMoments[shard];
                ref var second = ref host.SecondMoments[shard];
                first = Hash((long)first, (long)gradient, loss);
                second = Hash((long)second, 31, first);
                host.Weights[shard] = Hash((long)host.Weights[shard], (long)first, second);
            }
        }

        public void Dispose() { }

        private ulong Gradient(ReadOnlySpan<GradientSource> sources)
        {
            // A gradient is one number, of which a shard takes its own hash: each shard is sent all of it.
            var at = 0;
            return Hash(shard, 13, host.Total(host._tree.Lowest(new(host._tree.RootLevel, 0)), sources, ref at));
        }
    }

    private sealed class GradientSum(StandIn host) : IGradientSum
    {
        private readonly ulong[] _sum = new ulong[1];

        public ReadOnlySpan<float> Add(ReadOnlySpan<GradientSource> sources, int level, int index, ParameterRange range)
        {
            var at = 0;
            _sum[0] = host.Total(new(level, index), sources, ref at);
            return MemoryMarshal.Cast<ulong, float>(_sum.AsSpan());
        }

        public void Dispose() { }
    }
}
