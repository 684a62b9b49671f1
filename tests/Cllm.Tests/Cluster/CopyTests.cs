using System.Collections.Concurrent;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Tests.Actors;
using Cllm.Tests.Compute;

namespace Cllm.Tests.Cluster;

/// <summary>Copies of slices: with two processes, each has the whole state, what it does not own as a copy.</summary>
[Collection(Alone.Name)]
public sealed class CopyTests
{
    private const long Steps = 14;

    /// <summary>By then both processes take part and copies follow.</summary>
    private const long Settled = 4;

    private readonly ConcurrentQueue<(TensorKind Kind, int Shard, long Step)> _given = new();
    private readonly ConcurrentQueue<string> _differences = new();
    private TestNode? _first;
    private TestNode? _second;

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Copies_are_the_bits_of_a_run_without_them_after_each_step(int workersOfTheSecond)
    {
        using var expected = new TinyRun(TestNode.Plan(Steps));
        await RunAsync(_ => false, workersOfTheSecond, step =>
        {
            expected.Step(step);
            if (step >= Settled)
            {
                Compare(expected.State, step);
            }
        });
    }

    [Fact]
    public async Task A_copy_follows_its_owner_by_updates_alone()
    {
        await RunAsync(_ => false, 1, AwaitCopies);
        var late = _given.Where(given => given.Step > Settled && given.Step < Steps - 1 && given.Kind is not (TensorKind.Gradient or TensorKind.Blob)).ToArray();
        Assert.All(late, given => Assert.Equal(TensorKind.Update, given.Kind));
        Assert.Equal(3 * (Steps - Settled - 2), late.Length);
    }

    [Fact]
    public async Task A_copy_that_missed_an_update_gets_weights_and_moments_and_follows_again()
    {
        const long Missed = Settled + 2;
        await RunAsync(request => request.Kind == TensorKind.Update && request.Step.Number == Missed, 1, AwaitCopies);
        for (var shard = 0; shard < 3; shard++)
        {
            Assert.DoesNotContain((TensorKind.Update, shard, Missed), _given);
            Assert.Contains((TensorKind.Weights, shard, Missed + 1), _given);
            Assert.Contains((TensorKind.Moments, shard, Missed + 1), _given);
            Assert.Contains((TensorKind.Update, shard, Missed + 1), _given);
            Assert.Contains((TensorKind.Update, shard, Missed + 2), _given);
        }
    }

    [Fact]
    public async Task A_copy_takes_over_where_its_owner_is_killed_and_no_step_is_done_twice()
    {
        var observer = await RunAsync(_ => false, 1, step =>
        {
            if (step == Settled + 3)
            {
                AwaitCopies(step);
                _second!.KillAsync().GetAwaiter().GetResult();
            }
        });
        Assert.Contains(observer.Notes, note => note.Contains($"node {_second!.Number} is lost", StringComparison.Ordinal));
        Assert.DoesNotContain(observer.Notes.SkipWhile(note => !note.Contains("is lost", StringComparison.Ordinal)), note => note.StartsWith("back at step", StringComparison.Ordinal));
    }

    private async Task<RecordingObserver> RunAsync(Func<TensorRequest, bool> isWithdrawn, int workersOfTheSecond, Action<long> atStep)
    {
        ITensorStore Watch(ITensorStore store) => new WatchedStore(store, _given, isWithdrawn);
        var observer = new RecordingObserver { AtStep = atStep };
        await using var first = _first = TestNode.Start(Steps, observer: observer, change: settings => settings with { NodesToStart = 2 }, watch: Watch);
        await using var second = _second = TestNode.Start(Steps, first, workersOfTheSecond, watch: Watch);
        var end = await first.EndAsync();
        Assert.True(end == new TrainingEnd(Steps, RunOutcome.Finished, $"all {Steps} steps are done"), $"{end}: {string.Join("; ", observer.Notes)}");
        Assert.Equal(TestNode.ExpectedDigest(Steps), first.Digest);
        Assert.Empty(_differences);
        return observer;
    }

    /// <summary>The coordinator waits here, so no later step begins: at last both processes hold the state after this one, all of it.</summary>
    private void AwaitCopies(long step) => Await(step, () => Same(_first!.Host.State, _second!.Host.State));

    private void Compare(RunState expected, long step) =>
        Await(step, () => Same(expected, _first!.Host.State) && Same(expected, _second!.Host.State));

    private void Await(long step, Func<bool> condition)
    {
        if (step >= Settled && !SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(10)))
        {
            _differences.Enqueue($"after step {step} the states of the processes differ");
        }
    }

    private static bool Same(RunState one, RunState other) =>
        Same(one.Weights.Span, other.Weights.Span) && Same(one.FirstMoment.Span, other.FirstMoment.Span) && Same(one.SecondMoment.Span, other.SecondMoment.Span);

    /// <summary>Bits, for a span of floats compares -0 and 0 as equal.</summary>
    private static bool Same(ReadOnlySpan<float> one, ReadOnlySpan<float> other) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(one).SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes(other));
}
