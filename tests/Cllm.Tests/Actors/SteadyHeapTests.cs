using Cllm.Actors.Local;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Tests.Checkpoints;
using Cllm.Tests.Compute;

namespace Cllm.Tests.Actors;

/// <summary>Runs while no other test does, for the heap belongs to the whole process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

[Collection(Alone.Name)]
public sealed class SteadyHeapTests
{
    [Fact]
    public async Task The_managed_heap_does_not_grow_while_the_real_trainer_runs()
    {
        RunPlan plan = TinyRun.PlanFor(new(Vocabulary: 77, Block: 13, Layers: 1, Heads: 3, Width: 24), batch: 4, leaves: 4, steps: 1200);
        using var host = new RunHost(plan, new CheckpointStore(new MemoryFileStore(), "/run", 2), "digest")
        {
            InitialWeights = weights => InitialWeights.Draw(plan.Layout, 1, weights),
            Warn = _ => { },
        };
        host.Restore();
        var heap = new HeapObserver();
        TrainingEnd end = await LocalTraining.RunAsync(
            new LocalTrainingSettings { Leaves = 4, Steps = 1200, Workers = 2, Shards = 2 }, host, heap, CancellationToken.None);
        Assert.Equal(RunOutcome.Finished, end.Outcome);
        Assert.InRange(heap.Bytes[1100] - heap.Bytes[300], long.MinValue, 32 * 1024);
    }

    /// <summary>Live bytes after certain steps. 800 steps that each kept 40 bytes would be seen.</summary>
    private sealed class HeapObserver : ITrainingObserver
    {
        public Dictionary<long, long> Bytes { get; } = [];

        public void StepDone(long step, StepScalars scalars, TimeSpan elapsed)
        {
            if (step is 300 or 1100)
            {
                Bytes[step] = GC.GetTotalMemory(forceFullCollection: true);
            }
        }

        public void EvaluationDone(long step, double loss)
        {
        }

        public void CheckpointDone(long step, string digest)
        {
        }

        public void Note(string reason)
        {
        }

        public void Failed(string sentence)
        {
        }
    }
}
