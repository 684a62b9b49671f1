using Cllm.Actors.Local;
using Cllm.Protocol.Coordination;

namespace Cllm.Tests.Actors;

public sealed class LocalTrainingTests
{
    private const int Leaves = 6;

    private static readonly LocalTrainingSettings Settings = new()
    {
        Leaves = Leaves,
        Steps = 10,
        Workers = 3,
        Shards = 2,
        EvaluateEvery = 4,
        CheckpointEvery = 3,
    };

    private static readonly Lazy<Task<(string Digest, RecordingObserver Observer)>> Expected = new(async () =>
    {
        var (host, observer) = (new FakeHost(Leaves), new RecordingObserver());
        await LocalTraining.RunAsync(Settings with { Workers = 1, Shards = 1 }, host, observer, CancellationToken.None);
        return (host.Digest, observer);
    });

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(2, 2)]
    [InlineData(3, 5)]
    [InlineData(5, 1)]
    [InlineData(8, 3)]
    public async Task Any_number_of_workers_and_shards_ends_with_the_same_bits(int workers, int shards)
    {
        var (host, observer) = (new FakeHost(Leaves), new RecordingObserver());
        await Check(Settings with { Workers = workers, Shards = shards }, host, observer);
        Assert.DoesNotContain(observer.Notes, note => note.Contains("lost", StringComparison.Ordinal));
        Assert.Equal(0, host.LiveComputes);
    }

    [Fact]
    public async Task Steps_evaluations_and_checkpoints_are_told_in_order()
    {
        var (host, observer) = (new FakeHost(Leaves), new RecordingObserver());
        await Check(Settings, host, observer);
        Assert.Equal(Enumerable.Range(0, 10).Select(step => (long)step), observer.Steps.Select(step => step.Step));
        Assert.Equal([4L, 8, 10], observer.Evaluations.Select(evaluation => evaluation.Step));
        Assert.Equal(10, observer.Checkpoints[^1].Step);
        Assert.Equal(host.Digest, observer.Checkpoints[^1].Digest);
    }

    [Fact]
    public async Task A_worker_that_fails_is_restarted_and_the_bits_are_the_same()
    {
        var computed = 0;
        using var again = new ManualResetEventSlim();
        var host = new FakeHost(Leaves)
        {
            BeforeCompute = (worker, step) =>
            {
                if (worker != 1)
                {
                    // However late its thread comes, it is back before the run is over.
                    Assert.True(step != 7 || again.Wait(TimeSpan.FromMinutes(1)));
                    return;
                }

                var count = step is 2 or 7 ? Interlocked.Increment(ref computed) : 0;
                if (count >= 3)
                {
                    again.Set();
                }

                FailIf(count is 1 or 3);
            },
        };
        var observer = new RecordingObserver();
        await Check(Settings, host, observer);
        Assert.True(computed >= 3);
        Assert.Contains(observer.Notes, note => note.Contains("worker 1 is lost at step 2: broken by the test", StringComparison.Ordinal));
        Assert.Equal(0, host.LiveComputes);
    }

    [Fact]
    public async Task The_only_worker_that_fails_is_restarted_and_the_bits_are_the_same()
    {
        var failures = 0;
        var host = new FakeHost(Leaves)
        {
            BeforeCompute = (_, step) => FailIf(step == 3 && Interlocked.Increment(ref failures) is 2 or 3),
        };
        await Check(Settings with { Workers = 1 }, host, new());
        Assert.True(failures >= 4);
    }

    [Fact]
    public async Task A_shard_that_fails_to_reduce_is_restarted_and_the_bits_are_the_same()
    {
        var failures = 0;
        var host = new FakeHost(Leaves)
        {
            BeforeReduce = (shard, step) => FailIf(shard == 1 && step == 5 && Interlocked.Increment(ref failures) <= 2),
        };
        var observer = new RecordingObserver();
        await Check(Settings, host, observer);
        Assert.Equal(0, host.Restores);
        Assert.Contains(observer.Notes, note => note.Contains("shard 1 is lost before the commit", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Half_an_update_goes_back_to_the_checkpoint_and_the_bits_are_the_same()
    {
        var failures = 0;
        var host = new FakeHost(Leaves)
        {
            AmidApply = (shard, step) => FailIf(shard == 0 && step == 5 && Interlocked.Increment(ref failures) == 1),
        };
        var observer = new RecordingObserver();
        await Check(Settings, host, observer);
        Assert.Equal(1, host.Restores);
        Assert.Contains(observer.Notes, note => note == "back at step 3 from step 5");
        Assert.Equal(Enumerable.Range(0, 10).Select(step => (long)step), observer.Steps.Select(step => step.Step));
    }

    [Fact]
    public async Task Half_an_update_without_a_checkpoint_goes_back_to_the_beginning_and_the_bits_are_the_same()
    {
        var failures = 0;
        var host = new FakeHost(Leaves) { AmidApply = (_, step) => FailIf(step == 5 && Interlocked.Increment(ref failures) == 1) };
        var observer = new RecordingObserver();
        await Check(Settings with { CheckpointEvery = 0 }, host, observer);
        Assert.Contains(observer.Notes, note => note == "back at step 0 from step 5");
    }

    [Fact]
    public async Task A_stop_finishes_the_step_and_writes_a_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        var host = new FakeHost(Leaves);
        var observer = new RecordingObserver { AtStep = step => CancelIf(step == 4, stop) };
        var end = await LocalTraining.RunAsync(Settings with { CheckpointEvery = 0, Steps = 1_000_000 }, host, observer, stop.Token);

        Assert.Equal(RunOutcome.Stopped, end.Outcome);
        Assert.InRange(end.CommittedSteps, 5, 999_999);
        Assert.Equal((end.CommittedSteps, host.Digest), Assert.Single(observer.Checkpoints));
    }

    [Fact]
    public async Task A_run_that_goes_on_after_a_stop_ends_with_the_same_bits()
    {
        using var stop = new CancellationTokenSource();
        var host = new FakeHost(Leaves);
        var stopping = new RecordingObserver { AtStep = step => CancelIf(step == 4, stop) };
        var first = await LocalTraining.RunAsync(Settings, host, stopping, stop.Token);
        var second = await LocalTraining.RunAsync(
            Settings with { FirstStep = first.CommittedSteps, Workers = 5 }, host, new RecordingObserver(), CancellationToken.None);

        Assert.Equal(RunOutcome.Finished, second.Outcome);
        Assert.Equal((await Expected.Value).Digest, host.Digest);
    }

    [Fact]
    public async Task A_run_with_nothing_left_to_do_is_finished()
    {
        var end = await LocalTraining.RunAsync(
            Settings with { FirstStep = 10 }, new FakeHost(Leaves), new RecordingObserver(), CancellationToken.None);
        Assert.Equal((10, RunOutcome.Finished), (end.CommittedSteps, end.Outcome));
    }

    [Fact]
    public async Task Too_many_failures_of_one_worker_end_the_run_with_a_sentence()
    {
        var host = new FakeHost(Leaves) { BeforeCompute = (_, step) => FailIf(step == 2) };
        await CheckFailed(Settings with { Workers = 1 }, host, 2,
            "worker 0 failed 4 times at step 2 without a new step in between, the last time of: broken by the test");
    }

    [Fact]
    public async Task A_worker_that_always_fails_is_replaced_by_the_others_and_the_bits_are_the_same()
    {
        var host = new FakeHost(Leaves) { BeforeCompute = (worker, _) => FailIf(worker == 2) };
        await Check(Settings, host, new());
    }

    [Fact]
    public async Task Too_many_failures_after_going_back_end_the_run_with_a_sentence()
    {
        var host = new FakeHost(Leaves) { AmidApply = (shard, step) => FailIf(shard == 1 && step == 8) };
        await CheckFailed(Settings, host, 8,
            "shard 1 failed 4 times at step 8 without a new step in between, the last time of: broken by the test");
        Assert.Equal(3, host.Restores);
    }

    [Fact]
    public async Task A_worker_that_cannot_be_made_ends_the_run_with_a_sentence()
    {
        var host = new FakeHost(Leaves) { BeforeCreateWorker = worker => FailIf(worker == 1) };
        await CheckFailed(Settings, host, 0,
            "worker 1 failed 4 times at step 0 without a new step in between, the last time of: broken by the test");
    }

    [Fact]
    public async Task A_stop_before_the_first_step_ends_the_run_at_once()
    {
        var observer = new RecordingObserver();
        var end = await LocalTraining.RunAsync(
            Settings with { Steps = 1_000_000 }, new FakeHost(Leaves), observer, new CancellationToken(canceled: true));
        Assert.Equal(RunOutcome.Stopped, end.Outcome);
        Assert.Equal(end.CommittedSteps, observer.Steps.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(9)]
    public async Task A_coordinator_that_fails_is_restarted_and_the_bits_are_the_same(long failingStep)
    {
        var failures = 0;
        var host = new FakeHost(Leaves) { BeforeCombine = step => FailIf(step == failingStep && ++failures <= 2) };
        var observer = new RecordingObserver();
        await Check(Settings, host, observer);
        Assert.Equal(3, failures);
        Assert.Equal(0, host.Restores);
        Assert.Contains(observer.Notes, note => note == $"the coordinator failed at step {failingStep} and is started again: broken by the test");
        Assert.Equal(0, host.LiveComputes);
    }

    [Fact]
    public async Task A_coordinator_that_fails_while_the_run_is_to_stop_leaves_a_checkpoint_behind()
    {
        using var stop = new CancellationTokenSource();
        var failures = 0;
        var host = new FakeHost(Leaves)
        {
            BeforeCombine = step =>
            {
                CancelIf(step == 4, stop);
                FailIf(step == 4 && ++failures == 1);
            },
        };
        var observer = new RecordingObserver();
        var end = await LocalTraining.RunAsync(Settings with { CheckpointEvery = 0, Steps = 1_000_000 }, host, observer, stop.Token);
        Assert.Equal(RunOutcome.Stopped, end.Outcome);
        Assert.Equal((end.CommittedSteps, host.Digest), Assert.Single(observer.Checkpoints));
    }

    [Fact]
    public async Task A_coordinator_that_fails_too_often_ends_the_run_with_a_sentence()
    {
        var host = new FakeHost(Leaves) { BeforeCombine = step => FailIf(step == 4) };
        await CheckFailed(Settings, host, 4, "the coordinator failed: broken by the test");
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_ends_the_run_at_its_step()
    {
        const string Sentence = "metrics.jsonl could not be written because the disk is full; delete something there.";
        var observer = new RecordingObserver { AtStep = step => throw new Cllm.Model.Files.StorageException(Sentence) };
        var end = await LocalTraining.RunAsync(Settings, new FakeHost(Leaves), observer, CancellationToken.None);
        Assert.Equal(new TrainingEnd(1, RunOutcome.Failed, Sentence), end);
        Assert.Single(observer.Steps);
    }

    [Fact]
    public async Task A_failed_checkpoint_is_noted_and_training_goes_on()
    {
        var host = new FakeHost(Leaves) { BeforeWrite = step => FailIf(step == 3) };
        var observer = new RecordingObserver();
        await Check(Settings, host, observer);
        Assert.Contains("the checkpoint at step 3 could not be written: broken by the test", observer.Notes);
        Assert.DoesNotContain(observer.Checkpoints, checkpoint => checkpoint.Step == 3);
    }

    [Fact]
    public async Task A_failed_last_checkpoint_ends_the_run_with_a_sentence()
    {
        var host = new FakeHost(Leaves) { BeforeWrite = step => FailIf(step == 10) };
        await CheckFailed(Settings, host, 10, "the run stands at step 10, but its checkpoint could not be written: broken by the test");
    }

    private static async Task Check(LocalTrainingSettings settings, FakeHost host, RecordingObserver observer)
    {
        var end = await LocalTraining.RunAsync(settings, host, observer, CancellationToken.None);
        var (digest, expected) = await Expected.Value;
        Assert.Equal(new TrainingEnd(10, RunOutcome.Finished, "all 10 steps are done"), end);
        Assert.Equal(digest, host.Digest);
        Assert.Equal(expected.Steps, observer.Steps);
        Assert.Equal(expected.Evaluations, observer.Evaluations);
        Assert.Null(observer.Failure);
    }

    private static async Task CheckFailed(LocalTrainingSettings settings, FakeHost host, long committedSteps, string sentence)
    {
        var observer = new RecordingObserver();
        var end = await LocalTraining.RunAsync(settings, host, observer, CancellationToken.None);
        Assert.Equal(new TrainingEnd(committedSteps, RunOutcome.Failed, sentence), end);
        Assert.Equal(sentence, observer.Failure);
        Assert.Equal(0, host.LiveComputes);
    }

    private static void FailIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException("broken by the test");
        }
    }

    private static void CancelIf(bool condition, CancellationTokenSource stop)
    {
        if (condition)
        {
            stop.Cancel();
        }
    }
}
