using Akka.Actor;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;
using Cllm.Tests.Actors;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Cluster;

/// <summary>
/// A quorum bears a loss only between bounds: as many processes that may coordinate as it was made for, no fewer at the beginning and no more at any time. Without the first a node that
/// is lost ends the run, with one too many everybody is struck off.
/// </summary>
[Collection(Alone.Name)]
public sealed class StandbyTests
{
    private const long Steps = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_run_begins_when_all_standbys_are_there_however_many_other_nodes_are()
    {
        var oneIsMissing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var observer = new RecordingObserver { AtNote = note => SetIf(oneIsMissing, note.EndsWith("1 is missing (`cllm node --standby`)", StringComparison.Ordinal)) };
        await using var first = TestNode.Start(Steps, quorum: 2, observer: observer, change: settings => settings with { NodesToStart = 3 });
        await using var plain = TestNode.Start(Steps, first);
        await using var another = TestNode.Start(Steps, first);
        await Task.WhenAll(plain.UpAsync(), another.UpAsync()).WaitAsync(Patience);
        await using var second = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await oneIsMissing.Task.WaitAsync(Patience);
        Assert.Empty(observer.Steps);

        await using var third = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);

        await CheckFinished(first);
    }

    [Fact]
    public async Task A_node_that_is_lost_while_the_run_waits_for_its_standbys_does_not_end_it()
    {
        var isStruckOff = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var observer = new RecordingObserver { AtNote = note => SetIf(isStruckOff, note.EndsWith("is struck off before the run begins, for it is not reached", StringComparison.Ordinal)) };
        await using var first = TestNode.Start(Steps, quorum: 2, observer: observer, change: settings => settings with { NodesToStart = 3 });
        var plain = TestNode.Start(Steps, first);
        await plain.UpAsync().WaitAsync(Patience);
        await plain.DisposeAsync();
        await isStruckOff.Task.WaitAsync(Patience);

        await using var second = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await using var third = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);

        await CheckFinished(first);
    }

    [Fact]
    public async Task A_standby_too_many_is_refused_and_the_run_goes_on()
    {
        // It goes on when a fourth process is there that may not coordinate.
        await using var first = TestNode.Start(Steps, quorum: 2, change: settings => settings with { NodesToStart = 3, NodesMin = 4 });
        await using var second = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await using var third = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await Task.WhenAll(second.UpAsync(), third.UpAsync()).WaitAsync(Patience);
        await using (var fourth = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2))
        {
            TrainingEnd end = await fourth.EndAsync(60);
            Assert.True(end.IsRefused);
            Assert.Equal("2 other processes can take the run over, as many as it was started for (`cllm train --standbys`); leave --standby out", end.Sentence);
        }

        await using var plain = TestNode.Start(Steps, first);

        await CheckFinished(first);
    }

    [Fact]
    public async Task A_coordinator_that_can_write_nothing_leaves_the_run_to_a_standby()
    {
        var full = new MemoryFileStore { CapacityBytes = 1000 };
        var first = TestNode.Start(Steps, quorum: 2, disk: full, change: settings => settings with { NodesToStart = 3 });
        await using var second = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await using var third = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        TrainingEnd end = await first.EndAsync(60);
        Assert.Equal(RunOutcome.Failed, end.Outcome);
        Assert.StartsWith($"the run stands at step {Steps}, but its checkpoint could not be written: ", end.Sentence, StringComparison.Ordinal);
        Assert.EndsWith("; a standby goes on with the run", end.Sentence, StringComparison.Ordinal);
        await first.DisposeAsync();

        Assert.Equal(RunOutcome.Finished, (await second.EndAsync(60)).Outcome);
        Assert.Equal(RunOutcome.Finished, (await third.EndAsync(60)).Outcome);
        TestNode successor = Assert.Single(new[] { second, third }, node => node.Node.HasCoordinated);
        Assert.Equal(Steps, successor.Host.Restore());
        Assert.Equal(TestNode.ExpectedDigest(Steps), successor.Digest);
    }

    [Fact]
    public async Task A_coordinator_that_nobody_can_succeed_is_not_drained_and_ends_the_run_when_it_leaves()
    {
        // It stands still at step 3, when there is something to lose.
        Action<long> atStep = _ => { };
        var isThere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var observer = new RecordingObserver { AtStep = step => atStep(step) };
        await using var first = TestNode.Start(Steps, observer: observer, change: settings => settings with { NodesToStart = 2, NodesMin = 2 });
        await using var second = TestNode.Start(Steps, first);
        atStep = step =>
        {
            if (step == 2)
            {
                first.Node.AnyCoordinator.Tell(new RunOrder(RunAction.Pause, null), ActorRefs.NoSender);
                isThere.TrySetResult();
            }
        };
        await isThere.Task.WaitAsync(Patience);

        var answer = await first.Node.AnyCoordinator.Ask<RunAnswer>(new RunOrder(RunAction.Drain, first.Number), Patience);
        Assert.False(answer.IsTaken);
        Assert.StartsWith($"Node {first.Number} coordinates the run and no other process can take it over", answer.Sentence, StringComparison.Ordinal);
        first.Node.Leave();

        TrainingEnd end = await first.EndAsync(60);
        Assert.Equal((RunOutcome.Stopped, false), (end.Outcome, end.HasLeft));
        Assert.Equal(end.CommittedSteps, first.Host.Restore());
        Assert.Equal(TestNode.ExpectedDigest(end.CommittedSteps), first.Digest);
        Assert.Equal(RunOutcome.Stopped, (await second.EndAsync(60)).Outcome);
    }

    [Fact]
    public Task A_standby_that_is_to_go_itself_is_nobody_to_leave_the_run_to() => DrainTogether(isCoordinatorFirst: false, async (answers, first, _) =>
    {
        Assert.Equal([true, true, false], answers.Select(answer => answer.IsTaken));
        Assert.StartsWith($"Node {first.Number} coordinates the run and no other process can take it over", answers[^1].Sentence, StringComparison.Ordinal);
        await CheckFinished(first);
    });

    [Fact]
    public Task A_coordinator_that_was_let_go_stops_the_run_when_its_last_standby_is_to_go_too() => DrainTogether(isCoordinatorFirst: true, async (answers, first, plain) =>
    {
        Assert.Equal([true, true, true], answers.Select(answer => answer.IsTaken));
        TrainingEnd end = await first.EndAsync(60);
        Assert.Equal((RunOutcome.Stopped, false), (end.Outcome, end.HasLeft));
        Assert.Single(first.Observer.Notes, "this process coordinates the run and no other can take it over, so the run stops");
        Assert.Equal(end.CommittedSteps, first.Host.Restore());
        Assert.Equal(TestNode.ExpectedDigest(end.CommittedSteps), first.Digest);
        Assert.Equal(RunOutcome.Stopped, (await plain.EndAsync(60)).Outcome);
    });

    [Fact]
    public async Task A_node_that_leaves_a_run_that_has_ended_stops_nothing()
    {
        await using var first = TestNode.Start(Steps);
        await CheckFinished(first);
        first.Node.AnyCoordinator.Tell(new NodeLeaving(new(first.Number)), ActorRefs.NoSender);
        var seen = await first.Node.AnyCoordinator.Ask<RunSeen>(new RunAsked(), Patience);
        Assert.DoesNotContain(seen.View.Notes, note => note.EndsWith("so the run stops", StringComparison.Ordinal));
        Assert.DoesNotContain(first.Observer.Notes, note => note.EndsWith("so the run stops", StringComparison.Ordinal));
    }

    /// <summary>Drains the coordinator and both standbys of a run with a fourth node, amid a step and faster than any of them can go.</summary>
    private static async Task DrainTogether(bool isCoordinatorFirst, Func<RunAnswer[], TestNode, TestNode, Task> check)
    {
        Action<long> atStep = _ => { };
        var answers = new TaskCompletionSource<Task<RunAnswer[]>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var observer = new RecordingObserver { AtStep = step => atStep(step) };
        await using var first = TestNode.Start(Steps, quorum: 2, observer: observer, change: settings => settings with { NodesToStart = 4 });
        await using var second = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await using var third = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        // Right into its mailbox, for a step may be done between two messages that take their time.
        var coordinator = first.System.ActorSelection("/user/coordinator-seat/singleton/coordinator");
        int[] standbys = [second.Number, third.Number];
        atStep = step =>
        {
            if (step == 2)
            {
                answers.TrySetResult(Task.WhenAll((isCoordinatorFirst ? standbys.Prepend(first.Number) : standbys.Append(first.Number)).Select(
                    node => coordinator.Ask<RunAnswer>(new RunOrder(RunAction.Drain, node), Patience))));
            }
        };
        await using var plain = TestNode.Start(Steps, first);
        await check(await (await answers.Task.WaitAsync(Patience)), first, plain);
    }

    private static async Task CheckFinished(TestNode node)
    {
        Assert.Equal(RunOutcome.Finished, (await node.EndAsync(60)).Outcome);
        Assert.Equal(TestNode.ExpectedDigest(Steps), node.Digest);
    }

    private static void SetIf(TaskCompletionSource signal, bool condition)
    {
        if (condition)
        {
            signal.TrySetResult();
        }
    }
}
