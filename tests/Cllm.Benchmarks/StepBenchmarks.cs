using BenchmarkDotNet.Attributes;
using Cllm.Cli.Bench;
using Cllm.Model.Compute;
using Cllm.Model.Shape;

namespace Cllm.Benchmarks;

/// <summary>
/// The arithmetic of a whole step without actors: one worker computes both leaves and adds them, one shard reduces and updates. It
/// allocates nothing on the managed heap.
/// </summary>
[MemoryDiagnoser]
public class StepBenchmarks
{
    private const int Leaves = 2;

    private readonly double[] _losses = new double[Leaves];
    private readonly GradientSource[] _sources = new GradientSource[1];
    private RunPlan _plan = null!;
    private RunState _state = null!;
    private WorkerCompute _worker = null!;
    private ShardCompute _shard = null!;
    private double[] _norms = [];
    private long _step;

    /// <summary>A shape of `cllm bench`, with two leaves.</summary>
    [Params("seed", "shakespeare-cpu")]
    public string Shape { get; set; } = "";

    [Params(false, true)]
    public bool Recompute { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _plan = BenchShape.Named(Shape).With(Leaves).Plan(1_000_000);
        _state = new RunState(_plan.Layout);
        InitialWeights.Draw(_plan.Layout, 1, _state.Weights.Span);
        _worker = new WorkerCompute(_plan, _state, threads: 1, Recompute);
        _shard = new ShardCompute(_plan, _state, new ParameterRange(0, _plan.Layout.Length));
        _norms = new double[_shard.Blocks];
    }

    [GlobalCleanup]
    public void Free()
    {
        _worker.Dispose();
        _shard.Dispose();
        _state.Dispose();
    }

    [Benchmark]
    public void Step()
    {
        _worker.ReleaseBuffers();
        _sources[0] = new GradientSource(1, 0, _worker, _worker.ComputeNode(_step, 1, 0, _losses));
        _shard.Reduce(_step, _sources, _norms);
        _shard.Apply(_step, _sources, StepCombination.Combine(_plan, _step, _losses, _norms));
        _step++;
    }
}
