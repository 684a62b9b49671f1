using Akka.Actor;
using Cllm.Actors.Cluster;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Model.Files;
using Cllm.Protocol.Coordination;
using Cllm.Tests.Actors;
using Cllm.Tests.Checkpoints;
using Cllm.Tests.Files;

namespace Cllm.Tests.Cluster;

[Collection(Alone.Name)]
public sealed class ClusterFaultTests
{
    private const long Steps = 40;

    private static readonly Lazy<string> Expected = new(() => TestNode.ExpectedDigest(Steps));

    [Fact]
    public async Task A_process_that_is_killed_and_one_that_joins_amid_the_run_change_no_bit()
    {
        using var totals = new MeterTotals();
        var killed = new Signal();
        var observer = new RecordingObserver { AtStep = step => killed.SetIf(step == 6) };
        await using var first = TestNode.Start(Steps, observer: observer, change: settings => settings with { NodesToStart = 2 });
        var second = TestNode.Start(Steps, first);
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(40));
        await second.DisposeAsync();
        await using var third = TestNode.Start(Steps, first);

        await CheckFinished(first);
        Assert.Contains(observer.Notes, note => note.Contains($"node {second.Number} is lost", StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, (int)Steps).Select(step => (long)step), observer.Steps.Select(step => step.Step));
        Assert.Equal((1, 1), (FaultsOf(totals, "node"), FaultsOf(totals, "worker")));
        Assert.True(FaultsOf(totals, "shard") >= 1);
    }

    [Fact]
    public async Task A_process_that_leaves_hands_over_what_it_has_and_ends()
    {
        using var totals = new MeterTotals();
        var leaving = new Signal();
        var observer = new RecordingObserver { AtStep = step => leaving.SetIf(step == 6) };
        await using var first = TestNode.Start(Steps, observer: observer, change: settings => settings with { NodesToStart = 2 });
        await using var second = TestNode.Start(Steps, first);
        await leaving.Task.WaitAsync(TimeSpan.FromSeconds(40));
        second.Node.Leave();
        Assert.Equal(RunOutcome.Stopped, (await second.EndAsync()).Outcome);
        await second.KillAsync();

        await CheckFinished(first);
        Assert.DoesNotContain(observer.Notes, note => note.Contains("lost at step", StringComparison.Ordinal));
        Assert.All(["worker", "shard", "node", "restore"], kind => Assert.Equal(0, FaultsOf(totals, kind)));

        // What every run begins with, and what comes of a node that leaves, is nothing out of the ordinary.
        Assert.DoesNotContain(observer.Notes, note => note.Contains("cannot send", StringComparison.Ordinal) || note.Contains("no copy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_ends_the_run_at_its_step()
    {
        const string Sentence = "metrics.jsonl could not be written because the disk is full; delete something there.";
        var observer = new RecordingObserver { AtStep = step => throw new StorageException(Sentence) };
        await using var first = TestNode.Start(Steps, observer: observer);
        Assert.Equal(new TrainingEnd(1, RunOutcome.Failed, Sentence), await first.EndAsync());
        Assert.Single(observer.Steps);
    }

    [Fact]
    public async Task The_process_that_coordinates_is_killed_as_soon_as_the_run_has_begun_and_another_goes_on_to_the_same_bits()
    {
        var killed = new Signal();
        var observer = new RecordingObserver { AtStep = step => killed.SetIf(step == 1) };
        var first = TestNode.Start(Steps, quorum: 2, observer: observer, change: settings => settings with { NodesToStart = 3 });
        await using var second = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await using var third = TestNode.Start(Steps, first, isCoordinator: true, quorum: 2);
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(40));
        await first.DisposeAsync();

        var successor = await Task.WhenAny(second.EndAsync(), third.EndAsync()) is var end && (await end).Outcome == RunOutcome.Finished
            && second.Observer.Steps.Count > 0 ? second : third;
        await CheckFinished(successor);
        Assert.Contains(successor.Observer.Notes, note => note.Contains("this process coordinates the run from now on", StringComparison.Ordinal));
    }

    /// <summary>Says so is a process whose own link was cut, as soon as it is heard again.</summary>
    [Fact]
    public async Task A_process_that_only_others_cannot_reach_is_not_lost()
    {
        Action<long> atStep = _ => { };
        var observer = new RecordingObserver { AtStep = step => atStep(step) };
        await using var first = TestNode.Start(Steps, observer: observer, change: settings => settings with { NodesToStart = 2 });
        var cluster = Akka.Cluster.Cluster.Get(first.System);
        var isSaid = false;
        atStep = _ =>
        {
            // Once, and the steps wait for it: else they may be over before the members begin to listen for each other's heartbeats.
            atStep = _ => { };
            Akka.Cluster.Member? other = null;
            if (SpinWait.SpinUntil(() => (other = Heard()) is not null, TimeSpan.FromSeconds(20)))
            {
                isSaid = true;
                first.System.ActorSelection("/user/coordinator-seat/singleton/coordinator").Tell(new Akka.Cluster.ClusterEvent.UnreachableMember(other!));
            }
        };
        Akka.Cluster.Member? Heard() => cluster.State.Members.SingleOrDefault(
            member => member.Address != cluster.SelfAddress && cluster.FailureDetector.IsMonitoring(member.Address));
        await using var second = TestNode.Start(Steps, first);

        await CheckFinished(first);
        Assert.True(isSaid);
        Assert.DoesNotContain(observer.Notes, note => note.Contains("is lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_slice_that_is_lost_with_its_copy_and_the_coordinator_goes_back_to_a_checkpoint_that_the_successor_has_copied()
    {
        using var disk = new TemporaryFolder();
        Signal[] copied = [new(), new()];
        RecordingObserver[] observers =
        [
            .. copied.Select(signal => new RecordingObserver { AtNote = note => signal.SetIf(note.Contains(" is here, ", StringComparison.Ordinal)) }),
        ];

        // The run pauses for as long as standbys copy its checkpoint, however fast it is.
        TestNode? coordinator = null;
        var pausing = new RecordingObserver
        {
            AtStep = step =>
            {
                if (step == 12)
                {
                    coordinator!.Node.AnyCoordinator.Tell(new RunOrder(RunAction.Pause, null));
                }
            },
        };

        // Of five slices in a ring of five processes, three lost ones leave no slice or copy of at least one.
        ClusterSettings Spread(ClusterSettings settings) => settings with { Shards = 5, CheckpointEvery = 5, NodesToStart = 5 };
        var first = TestNode.Start(Steps, quorum: 2, folder: disk.At("first"), change: Spread, observer: pausing);
        coordinator = first;
        await using var second = TestNode.Start(
            Steps, first, isCoordinator: true, quorum: 2, folder: disk.At("second"), hasInitialWeights: false, change: Spread, observer: observers[0]);
        await using var third = TestNode.Start(
            Steps, first, isCoordinator: true, quorum: 2, folder: disk.At("third"), hasInitialWeights: false, change: Spread, observer: observers[1]);
        TestNode[] others = [TestNode.Start(Steps, first, change: Spread), TestNode.Start(Steps, first, change: Spread)];
        await Task.WhenAll(copied.Select(signal => signal.Task)).WaitAsync(TimeSpan.FromSeconds(40));
        await Task.WhenAll(others.Append(first).Select(other => other.DisposeAsync().AsTask()));

        var ends = await Task.WhenAll(second.EndAsync(60), third.EndAsync(60));
        Assert.Contains(RunOutcome.Finished, ends.Select(end => end.Outcome));
        var successor = second.Observer.Steps.Count > 0 ? second : third;
        Assert.Equal(Expected.Value, successor.Digest);
        Assert.Contains(successor.Observer.Notes, note => note.StartsWith("back at step ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_run_that_is_stopped_goes_on_with_another_number_of_processes(int processes)
    {
        var disk = new MemoryFileStore();
        var stopping = new Signal();
        await using (var first = TestNode.Start(Steps, disk: disk, observer: new RecordingObserver { AtStep = step => stopping.SetIf(step == 5) },
            change: settings => settings with { NodesToStart = 2 }))
        {
            await using var second = TestNode.Start(Steps, first);
            await stopping.Task.WaitAsync(TimeSpan.FromSeconds(40));
            first.Node.StopRun();
            var end = await first.EndAsync();
            Assert.Equal(RunOutcome.Stopped, end.Outcome);
            Assert.InRange(end.CommittedSteps, 6, Steps - 1);
        }

        await using var again = TestNode.Start(Steps, disk: disk, change: settings => settings with { NodesToStart = processes });
        var others = Enumerable.Range(1, processes - 1).Select(_ => TestNode.Start(Steps, again)).ToArray();
        await CheckFinished(again);
        foreach (var other in others)
        {
            await other.DisposeAsync();
        }
    }

    /// <summary>What <c>/metrics</c> says was lost of a kind.</summary>
    private static int FaultsOf(MeterTotals totals, string kind)
    {
        var text = new PrometheusText();
        totals.Write(text);
        var start = $"cllm_faults_total{{kind=\"{kind}\"}} ";
        return int.Parse(text.ToString().Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..]);
    }

    private static async Task CheckFinished(TestNode node)
    {
        var end = await node.EndAsync();
        Assert.True(end == new TrainingEnd(Steps, RunOutcome.Finished, $"all {Steps} steps are done"), $"{end}: {string.Join("; ", node.Observer.Notes)}");
        Assert.True(Expected.Value == node.Digest, $"other bits: {string.Join("; ", node.Observer.Notes)}");
    }

    /// <summary>Something has happened.</summary>
    private sealed class Signal
    {
        private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _source.Task;

        public void SetIf(bool condition)
        {
            if (condition)
            {
                _source.TrySetResult();
            }
        }
    }
}
