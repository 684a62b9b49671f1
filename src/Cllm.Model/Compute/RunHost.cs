using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Model.Compute;

/// <summary>What one process brings to a run: the state of the model, the arithmetic on it, and the checkpoints of the run's folder.</summary>
public sealed class RunHost : INodeHost, IDisposable
{
    private readonly RunPlan _plan;
    private readonly CheckpointStore _checkpoints;
    private readonly string _configurationDigest;
    private RunState? _snapshot;

    /// <summary>Allocates the state, all zero until <see cref="Restore"/>.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="checkpoints">Where its checkpoints are.</param>
    /// <param name="configurationDigest">Digest of the run's configuration; only its own checkpoints are accepted.</param>
    public RunHost(RunPlan plan, CheckpointStore checkpoints, string configurationDigest)
    {
        _plan = plan;
        _checkpoints = checkpoints;
        _configurationDigest = configurationDigest;
        State = new RunState(plan.Layout);
        MakeWorker = _ => new WorkerCompute(_plan, State, ThreadsPerWorker, Recompute);
    }

    /// <inheritdoc/>
    public RunState State { get; }

    /// <inheritdoc/>
    public CheckpointStore Checkpoints => _checkpoints;

    /// <inheritdoc/>
    public long NewestCheckpoint => _checkpoints.ListSteps() is [.., var newest] ? newest : 0;

    /// <summary>The run's leaves.</summary>
    public Shape.LeafPlan Leaves => _plan.Leaves;

    /// <summary>Fills the weights of a run that has no checkpoint yet.</summary>
    public required FillWeights InitialWeights { get; init; }

    /// <summary>Told each damaged checkpoint that was passed over, in one sentence.</summary>
    public required Action<string> Warn { get; init; }

    /// <summary>Told that the state after so many steps was copied and is about to be written. The step path waits: be quick.</summary>
    public Action<long> SnapshotTaken { get; init; } = static _ => { };

    /// <summary>
    /// Done on the writing thread before the checkpoint after so many steps, of weights with that digest, is written: what happened up to
    /// it has to be on disk before it is.
    /// </summary>
    public Action<long, string> BeforeCheckpoint { get; init; } = static (_, _) => { };

    /// <summary>Makes a worker's arithmetic: the model's, unless what is measured is everything else.</summary>
    public Func<int, IWorkerCompute> MakeWorker { get; init; }

    /// <summary>Threads of each worker.</summary>
    public int ThreadsPerWorker { get; init; } = 1;

    /// <summary>Whether workers compute activations again in the backward pass.</summary>
    public bool Recompute { get; init; }

    /// <inheritdoc/>
    public int EvaluationUnits => _plan.EvaluationUnits;

    /// <inheritdoc/>
    public int Shards(int wanted) => _plan.Layout.Shards(wanted).Count;

    /// <inheritdoc/>
    public IReadOnlyList<Shape.ParameterRange> Ranges(int shards) => _plan.Layout.Shards(shards);

    /// <inheritdoc/>
    public IWorkerCompute CreateWorker(int worker) => MakeWorker(worker);

    /// <inheritdoc/>
    public IShardCompute CreateShard(int shard, int shards) => CreateShard(shard, shards, kept: null);

    /// <inheritdoc/>
    public IShardCompute CreateShard(int shard, int shards, Numerics.Memory.AlignedBuffer? kept) =>
        new ShardCompute(_plan, State, _plan.Layout.Shards(shards)[shard], kept);

    /// <inheritdoc/>
    public IGradientSum CreateSum() => new TreeSum(_plan.Leaves);

    /// <inheritdoc/>
    /// <exception cref="TrainingDivergedException">Loss or gradient are not finite; the weights are still those of the step before.</exception>
    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms)
    {
        StepScalars scalars = StepCombination.Combine(_plan, step, leafLosses, blockNorms);
        return double.IsFinite(scalars.Loss) && double.IsFinite(scalars.GradientNorm) ? scalars : throw new TrainingDivergedException(step, scalars);
    }

    /// <inheritdoc/>
    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses) => StepCombination.CombineEvaluation(_plan, unitLosses);

    /// <inheritdoc/>
    public void TakeSnapshot(long step)
    {
        _snapshot ??= new RunState(_plan.Layout);
        _snapshot.CopyFrom(State);
        SnapshotTaken(step);
    }

    /// <inheritdoc/>
    /// <exception cref="TrainingDivergedException">The copy holds numbers that are not finite, which would push a good checkpoint out.</exception>
    public string WriteSnapshot(long step)
    {
        RunState snapshot = _snapshot ?? throw new InvalidOperationException("no snapshot was taken before it is written");
        RequireFinite(step, snapshot.Weights.Span, "weights");
        RequireFinite(step, snapshot.FirstMoment.Span, "moments");
        RequireFinite(step, snapshot.SecondMoment.Span, "moments");
        string digest = Digest.Weights(_plan.Layout, snapshot.Weights.Span);
        BeforeCheckpoint(step, digest);
        _checkpoints.Write(new CheckpointContent
        {
            Step = step,
            Layout = _plan.Layout,
            ConfigurationDigest = _configurationDigest,
            Weights = snapshot.Weights.Span,
            M = snapshot.FirstMoment.Span,
            V = snapshot.SecondMoment.Span,
        });
        return digest;
    }

    /// <summary>Begins to copy a checkpoint of another process of the run into this process's folder: <see cref="CheckpointStore.BeginCopy"/>.</summary>
    public CheckpointCopy? BeginCopy(long step, byte[] state) => _checkpoints.BeginCopy(step, state, _plan.Layout, _configurationDigest);

    /// <inheritdoc/>
    public long Restore()
    {
        long? step = _checkpoints.ReadNewest(
            _plan.Layout, _configurationDigest, State.Weights.Span, State.FirstMoment.Span, State.SecondMoment.Span, Warn);
        if (step is null)
        {
            State.FirstMoment.Span.Clear();
            State.SecondMoment.Span.Clear();
            State.Weights.Span.Clear();
            InitialWeights(State.Weights.Span);
        }

        return step ?? 0;
    }

    private static void RequireFinite(long step, ReadOnlySpan<float> numbers, string what)
    {
        if (NonFinite.IndexIn(numbers) >= 0)
        {
            throw new TrainingDivergedException(step, $"the {what} hold what is no finite number and no checkpoint is made of them");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        _snapshot?.Dispose();
    }
}

/// <summary>Fills the flat parameter vector.</summary>
public delegate void FillWeights(Span<float> weights);
