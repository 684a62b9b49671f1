using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Workers;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors;

/// <summary>Gives, as the results of work, what a transcript says it gave.</summary>
internal sealed class ScriptedHost(IEnumerable<Input> inputs) : IRunHost, IWorkerCompute, IShardCompute
{
    private readonly Queue<Input> _results = new(inputs.Where(input => input is not IMessage and not MachineStarted));

    public int EvaluationUnits => 5;

    public int Blocks => 2;

    public int Shards(int wanted) => wanted;

    public IWorkerCompute CreateWorker(int worker) => this;

    public IShardCompute CreateShard(int shard, int shards) => this;

    public int ComputeNode(long step, int level, int index, Span<double> leafLosses, GradientSettled? settled = null)
    {
        var computed = Next<NodeComputed>();
        Copy(computed.Payload, leafLosses);
        return computed.Buffer;
    }

    public void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses) => Copy(Next<UnitsEvaluated>().Payload, unitLosses);

    public void ReleaseBuffers()
    {
    }

    public ReadOnlySpan<float> Buffer(int number) => [];

    public void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms) =>
        Copy(Next<SliceReduced>().Payload, blockNorms);

    public void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars) => Next<SliceUpdated>();

    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms) =>
        Cllm.Actors.Words.Scalars(Next<StatisticsCombined>().Payload);

    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses) =>
        Cllm.Actors.Words.Numbers(Next<EvaluationCombined>().Payload)[0];

    public void TakeSnapshot(long step) => Next<SnapshotTaken>();

    public string WriteSnapshot(long step) => Next<CheckpointWritten>().Digest;

    public long Restore() => Next<Restored>().Step.Number;

    public void Dispose()
    {
    }

    private static void Copy(Payload payload, Span<double> numbers) => Cllm.Actors.Words.Numbers(payload).CopyTo(numbers);

    private T Next<T>()
        where T : Input => Assert.IsType<T>(_results.Dequeue());
}
