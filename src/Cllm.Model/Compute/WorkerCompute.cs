using System.Diagnostics;
using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Compute;

/// <summary>
/// One worker's arithmetic: gradients of leaves, added up to the root of the reduction-tree node it was leased, in gradient buffers
/// of its own. Leaves of a node are computed one after another, each by the whole team, so the result depends on the leaf and the weights only.
/// </summary>
public sealed class WorkerCompute : IWorkerCompute
{
    /// <summary>Held-out rows are worked on together until they have so many tokens: more make kernels no faster, and activations larger.</summary>
    private const int EvaluatedTokens = 1024;

    private readonly RunPlan _plan;
    private readonly Activations _activations;
    private readonly ThreadTeam _team;
    private readonly MatMulScratch[] _scratch;
    private readonly AttentionScratch[] _attention;
    private readonly LeafTokens _tokens;
    private readonly GptForward _forward;
    private readonly GptBackward _backward;
    private readonly GptLoss _loss;
    private readonly List<AlignedBuffer> _buffers = [];
    private readonly Stack<int> _free = [];
    private readonly TreePath _path;

    /// <summary>Allocates activations for the largest leaf; gradient buffers follow when they are first needed.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="state">The weights, shared with all other workers of the process.</param>
    /// <param name="threads">Threads of this worker, the caller's included.</param>
    /// <param name="recompute">
    /// Whether the backward pass computes each block's activations again: about a quarter more time, for memory that hardly grows with the
    /// layers. No bit of a result depends on it.
    /// </param>
    public WorkerCompute(RunPlan plan, RunState state, int threads, bool recompute = false)
    {
        _plan = plan;
        GptShape shape = plan.Configuration.Shape;
        int rowsMax = RowsMax(plan.Leaves, shape.Block, plan.HeldOutRows);
        _activations = new Activations(shape, rowsMax, recompute);
        _tokens = new LeafTokens(rowsMax, shape.Block);
        _path = new TreePath(_buffers);
        _team = new ThreadTeam(threads);
        _scratch = [.. Enumerable.Range(0, threads).Select(_ => new MatMulScratch())];
        _attention = [.. Enumerable.Range(0, threads).Select(_ => new AttentionScratch(shape.Block, shape.HeadSize))];
        _forward = new GptForward(shape, plan.Tensors, _activations, _scratch, _attention) { Weights = state.Weights, Tokens = _tokens };
        _backward = new GptBackward(shape, plan.Tensors, _activations, _scratch, _attention)
        {
            Weights = state.Weights,
            Tokens = _tokens,
            LossScale = 1f / plan.BatchTokens,
            Forward = _forward,
            Path = _path,
        };
        _loss = new GptLoss(shape, plan.Tensors, _activations, _scratch) { Weights = state.Weights, Tokens = _tokens };
    }

    /// <summary>Rows that a worker works on at once at most, and has activations for.</summary>
    /// <param name="leaves">The run's leaves.</param>
    /// <param name="block">T, tokens of a row.</param>
    /// <param name="heldOutRows">Rows of an evaluation; 0 is none.</param>
    public static int RowsMax(LeafPlan leaves, int block, int heldOutRows)
    {
        int evaluated = Math.Min(RunPlan.EvaluationUnitRows, (EvaluatedTokens + block - 1) / block);
        return Math.Max(leaves.RowsMax, Math.Min(evaluated, heldOutRows));
    }

    /// <summary>Where this worker's time went.</summary>
    public PhaseTimes Times { get; } = new();

    /// <summary>Bytes of this worker's activations, logits included.</summary>
    public long ActivationBytes => _activations.Bytes;

    /// <summary>Bytes of this worker's logits.</summary>
    public long LogitsBytes => _activations.Logits.Length * (long)sizeof(float);

    /// <summary>Bytes of this worker's gradient buffers.</summary>
    public long GradientBytes => _buffers.Count * (long)_plan.Layout.Length * sizeof(float);

    /// <summary>Bytes in which this worker's kernels pack their operands.</summary>
    public long ScratchBytes => _scratch.Sum(scratch => scratch.Bytes) + _attention.Sum(scratch => scratch.Bytes);

    /// <inheritdoc/>
    public int ComputeNode(long step, int level, int index, Span<double> leafLosses, GradientSettled? settled = null)
    {
        (int first, int count) = _plan.Leaves.LeavesUnder(level, index);
        for (int i = 0; i < count; i++)
        {
            int buffer = TakeBuffer();
            _path.Begin(first + i, _plan.Leaves.Leaves, level, buffer, i == count - 1 ? settled : null);
            leafLosses[i] = Leaf(step, first + i, _buffers[buffer]);
            _path.End(_free);
        }

        return _path.TakeSum();
    }

    /// <inheritdoc/>
    public void ReleaseBuffers()
    {
        _free.Clear();
        for (int i = _buffers.Count - 1; i >= 0; i--)
        {
            _free.Push(i);
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Buffer(int number) => _buffers[number].Span;

    /// <inheritdoc/>
    public void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses)
    {
        for (int i = 0; i < units; i++)
        {
            int row = (firstUnit + i) * RunPlan.EvaluationUnitRows;
            int end = Math.Min(row + RunPlan.EvaluationUnitRows, _plan.HeldOutRows);
            unitLosses[i] = 0;
            while (row < end)
            {
                _tokens.Clear(row);
                for (int rows = Math.Min(_activations.Rows, end - row); rows > 0; rows--, row++)
                {
                    _plan.ReadHeldOutRow(row, _tokens.NextRow);
                    _tokens.Take();
                }

                _forward.Dropout = DropoutPlan.None;
                _team.Run(_forward);
                _team.Run(_loss);
                unitLosses[i] = LossSum(unitLosses[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        _activations.Dispose();
        foreach (IDisposable owned in _scratch.Concat<IDisposable>(_attention).Concat(_buffers))
        {
            owned.Dispose();
        }
    }

    private double Leaf(long step, int leaf, AlignedBuffer gradient)
    {
        long began = Stopwatch.GetTimestamp();
        (int first, int rows) = _plan.Leaves.Rows(leaf);
        _tokens.Clear(first);
        for (int row = first; row < first + rows; row++)
        {
            _plan.ReadTrainingRow(step, row, _tokens.NextRow);
            _tokens.Take();
        }

        var dropout = new DropoutPlan(_plan.Configuration.Seed, step, _plan.Configuration.Dropout);
        _forward.Dropout = dropout;
        _backward.Dropout = dropout;
        _backward.Destination = gradient;
        _team.Run(_forward);
        long turned = Times.End(Phase.Forward, began);
        _team.Run(_backward);
        double loss = LossSum(0);
        long adding = _path.AddingTicks;
        Times.End(Phase.Reduce, Times.End(Phase.Backward, turned + adding) - adding);
        return loss;
    }

    /// <summary>One addition after another, so that it does not matter how many rows were worked on at once.</summary>
    private double LossSum(double sum)
    {
        foreach (float loss in _activations.Losses.Span[.._tokens.Count])
        {
            sum += loss;
        }

        return sum;
    }

    private int TakeBuffer()
    {
        if (_free.TryPop(out int number))
        {
            return number;
        }

        _buffers.Add(new AlignedBuffer(_plan.Layout.Length));
        return _buffers.Count - 1;
    }
}
