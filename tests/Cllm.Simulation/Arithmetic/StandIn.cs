using System.Runtime.InteropServices;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Protocol.Tree;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Arithmetic;

/// <summary>
/// Gradients that are hashes of step, leaf and weights, added in the tree by a mix that is neither commutative nor associative: a leaf that is lost, doubled
/// or misplaced changes every later digest. Its checkpoints are real ones of a very small model.
/// </summary>
internal sealed class StandIn : IArithmetic, IRunHost
{
    private const string ConfigurationDigest = "stand-in";
    private static readonly ParameterLayout Layout = new(new GptShape(Vocabulary: 5, Block: 3, Layers: 1, Heads: 2, Width: 4));

    private readonly CheckpointStore _checkpoints;
    private readonly LeafTree _tree;
    private readonly PlantedFault _plant;
    private readonly float[] _m = new float[Layout.Length];
    private readonly ulong[] _snapshot;
    private readonly ulong[] _before;
    private readonly float[] _flat = new float[Layout.Length];
    private readonly float[] _moments = new float[Layout.Length];
    private readonly Dictionary<long, ulong> _published = [];
    private ulong _weightsHash;
    private long _hashedVersion = -1;
    private int _computed;

    public StandIn(CheckpointStore checkpoints, int leaves, int shards, int evaluationUnits, PlantedFault plant)
    {
        (_checkpoints, _tree, _plant, EvaluationUnits) = (checkpoints, new(leaves), plant, evaluationUnits);
        Slices = new ulong[shards];
        _snapshot = new ulong[shards];
        _before = new ulong[shards];
        Start();
    }

    public IRunHost Host => this;

    public int EvaluationUnits { get; }

    public long Version { get; set; }

    public bool IsTorn { get; set; }

    private ulong[] Slices { get; }

    public int Shards(int wanted) => Slices.Length;

    public IWorkerCompute CreateWorker(int worker) => new WorkerCompute(this);

    public IShardCompute CreateShard(int shard, int shards) => new ShardCompute(this, shard);

    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms)
    {
        Slices.CopyTo(_before, 0);
        return new(Number(Fold(leafLosses, Fold(blockNorms, 3))), 0, 0, 0);
    }

    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses) => Number(Fold(unitLosses, 5));

    public void TakeSnapshot(long step) => (_plant == PlantedFault.SnapshotOneStepOld ? _before : Slices).CopyTo(_snapshot, 0);

    public string WriteSnapshot(long step)
    {
        MemoryMarshal.Cast<ulong, float>(_snapshot).CopyTo(_flat.AsSpan(Layout.Tensors[0].Offset));
        _checkpoints.Write(new()
        {
            Step = step,
            Layout = Layout,
            ConfigurationDigest = ConfigurationDigest,
            Weights = _flat,
            M = _m,
            V = _m,
        });
        return "";
    }

    public long Restore()
    {
        var step = _checkpoints.ReadNewest(Layout, ConfigurationDigest, _flat, _moments, _moments, _ => { });
        if (step is null)
        {
            Start();
            return 0;
        }

        MemoryMarshal.Cast<float, ulong>(_flat.AsSpan(Layout.Tensors[0].Offset, 2 * Slices.Length)).CopyTo(Slices);
        Version++;
        return step.Value;
    }

    public void Publish(long step) => _published[step] = WeightsHash();

    public ulong Digest() => WeightsHash();

    public void Spoil(int shard)
    {
        Slices[shard] = Hash(shard, 23, Slices[shard]);
        Version++;
    }

    public object Save(int shard) => Slices[shard];

    public void Load(int shard, object copy)
    {
        Version += Slices[shard] == (ulong)copy ? 0 : 1;
        Slices[shard] = (ulong)copy;
    }

    public void Changed() => Version++;

    public void Dispose() { }

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

    private void Start()
    {
        for (var shard = 0; shard < Slices.Length; shard++)
        {
            Slices[shard] = (ulong)shard + 1;
        }

        Version++;
    }

    private ulong WeightsHash()
    {
        if (_hashedVersion != Version)
        {
            _hashedVersion = Version;
            _weightsHash = 17;
            foreach (var slice in Slices)
            {
                _weightsHash = Hash((long)_weightsHash, 1, slice);
            }
        }

        return _weightsHash;
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
            var weights = host._published.TryGetValue(step, out var published) ? published : host.WeightsHash() + (host.IsTorn ? 1UL : 0);
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
            return _held++;
        }

        public void ReleaseBuffers() => _held = 0;

        public ReadOnlySpan<float> Buffer(int number) => MemoryMarshal.Cast<ulong, float>(_buffers.AsSpan(number, 1));

        public void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses)
        {
            for (var i = 0; i < units; i++)
            {
                unitLosses[i] = Number(Hash(firstUnit + i, 11, host.WeightsHash()));
            }
        }

        public void Dispose() { }
    }

    private sealed class ShardCompute(StandIn host, int shard) : IShardCompute
    {
        public int Blocks => 1;

        public void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms) => blockNorms[0] = Number(Gradient(sources));

        public void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars)
        {
            host.Slices[shard] = Hash((long)host.Slices[shard], (long)Gradient(sources), BitConverter.DoubleToUInt64Bits(scalars.Loss));
            host.Version++;
        }

        public void Dispose() { }

        private ulong Gradient(ReadOnlySpan<GradientSource> sources)
        {
            var at = 0;
            return Hash(shard, 13, Total(host._tree.Lowest(new(host._tree.RootLevel, 0)), sources, ref at));
        }

        private ulong Total(LeafNode node, ReadOnlySpan<GradientSource> sources, ref int at)
        {
            if (sources[at].Level == node.Level && sources[at].Index == node.Index)
            {
                var source = sources[at++];
                return MemoryMarshal.Cast<float, ulong>(source.Holder.Buffer(source.Buffer))[0];
            }

            var (left, right) = host._tree.Children(node);
            var sum = Total(left, sources, ref at);
            return Add(sum, Total(right, sources, ref at));
        }
    }
}
