using System.Collections.Concurrent;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Workers;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors;

/// <summary>Gives, as the results of work, what a transcript says it gave, and tells what it was asked for.</summary>
/// <param name="blocks">Norm blocks of a shard.</param>
/// <param name="asked">Hears of the work that a coordinator asks for.</param>
internal sealed class ScriptedHost(int blocks = 1, Action<string>? asked = null) : IRunHost, IWorkerCompute, IShardCompute
{
    private readonly ConcurrentQueue<Input> _results = new();
    private readonly BlockingCollection<Input> _written = [];
    private readonly CancellationTokenSource _end = new();

    public int EvaluationUnits => 5;

    public int Blocks => blocks;

    /// <summary>Released when work is asked for whose result the transcript does not tell; it goes on until this is disposed.</summary>
    public SemaphoreSlim Endless { get; } = new(0);

    /// <summary>The next work that is asked for gives this.</summary>
    public void Give(Input result) => _results.Enqueue(result);

    /// <summary>The checkpoint that is being written is, or could not be.</summary>
    public void Write(Input result) => _written.Add(result);

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

    public void ReleaseBuffers() => asked?.Invoke(TranscriptText.Write(new ReleaseBuffers()));

    public ReadOnlySpan<float> Buffer(int number) => [];

    public void Reduce(long step, ReadOnlySpan<GradientSource> sources, Span<double> blockNorms) =>
        Copy(Next<SliceReduced>().Payload, blockNorms);

    public void Apply(long step, ReadOnlySpan<GradientSource> sources, in StepScalars scalars)
    {
    }

    public StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms)
    {
        asked?.Invoke($"CombineStatistics Step={step} Leaves={Cllm.Actors.Words.Of(leafLosses)} Shards={Cllm.Actors.Words.Of(blockNorms)}");
        return Cllm.Actors.Words.Scalars(Next<StatisticsCombined>().Payload);
    }

    public double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses)
    {
        asked?.Invoke($"CombineEvaluation Step={step} Units={Cllm.Actors.Words.Of(unitLosses)}");
        return Cllm.Actors.Words.Numbers(Next<EvaluationCombined>().Payload)[0];
    }

    public void TakeSnapshot(long step)
    {
        asked?.Invoke($"TakeCheckpoint Step={step}");
        if (Next<Input>() is CheckpointFailed failed)
        {
            throw new InvalidOperationException(failed.Reason);
        }
    }

    public string WriteSnapshot(long step) => _written.Take(_end.Token) switch
    {
        CheckpointWritten written => written.Digest,
        CheckpointFailed failed => throw new InvalidOperationException(failed.Reason),
        var other => throw new InvalidOperationException($"{other} is no end of a checkpoint"),
    };

    public long Restore()
    {
        asked?.Invoke("Restore");
        return Next<Input>() switch
        {
            Restored restored => restored.Step.Number,
            RestoreFailed failed => throw new InvalidOperationException(failed.Reason),
            var other => throw new InvalidOperationException($"{other} is no end of a restore"),
        };
    }

    /// <summary>What is under way fails. The arithmetic that actors make and dispose is this as well, so there is nothing else to free.</summary>
    public void End() => _end.Cancel();

    public void Dispose()
    {
    }

    private static void Copy(Payload payload, Span<double> numbers) => Cllm.Actors.Words.Numbers(payload).CopyTo(numbers);

    private T Next<T>()
        where T : Input
    {
        if (!_results.TryDequeue(out var result))
        {
            Endless.Release();
            _end.Token.WaitHandle.WaitOne();
            throw new OperationCanceledException("the transcript is over");
        }

        return Assert.IsAssignableFrom<T>(result);
    }
}
