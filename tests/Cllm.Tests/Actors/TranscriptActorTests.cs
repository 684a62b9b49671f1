using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Tree;
using Cllm.Protocol.Workers;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors;

/// <summary>
/// The machines' transcripts through the actors that run them: messages in, and the same messages out in the same order.
/// </summary>
public sealed class TranscriptActorTests : TestKit
{
    [Theory]
    [InlineData("coordinator-normal-step")]
    [InlineData("coordinator-worker-lost")]
    [InlineData("coordinator-worker-restarted")]
    [InlineData("coordinator-join")]
    [InlineData("coordinator-leave")]
    [InlineData("coordinator-stale-message")]
    [InlineData("coordinator-evaluation")]
    [InlineData("coordinator-stop-with-checkpoint")]
    [InlineData("coordinator-pause")]
    public void A_coordinator_actor_sends_what_the_transcript_says(string name)
    {
        var (machine, inputs) = Load(name);
        var settings = TranscriptText.ReadSettings(
            new CoordinatorSettings { Leaves = 4, Steps = 1, Shards = 1, WorkersToStart = 1 }, machine.Skip(1));
        var run = new LocalRun(new ScriptedHost(inputs), new RecordingObserver(), settings, workers: 16);
        var probe = CreateTestProbe();
        var parent = CreateTestProbe();
        var actor = parent.ChildActorOf(Props.Create(() => new LocalCoordinatorActor(run)));

        foreach (var input in inputs.Where(input => input is IMessage or NodeLost))
        {
            actor.Tell(input, probe);
        }

        if (Transcript.Load(name).Lines.Any(line => line.StartsWith("< RunEnded", StringComparison.Ordinal)))
        {
            // A checkpoint is written by another thread: the run ends after it.
            parent.ExpectMsg<TrainingEnd>();
        }

        var workers = inputs.OfType<WorkerStarted>().Select(started => started.Worker).Distinct().Count();
        CheckSent(name, actor, probe, destination => destination switch
        {
            "shards" => settings.Shards,
            "workers" => workers,
            _ => 1,
        });
    }

    [Fact]
    public void A_worker_actor_sends_what_the_transcript_says()
    {
        var (_, inputs) = Load("worker-one-by-one");
        var settings = new CoordinatorSettings { Leaves = 4, Steps = 9, Shards = 1, WorkersToStart = 1, EvaluationUnits = 5 };
        var run = new LocalRun(new ScriptedHost(inputs), new RecordingObserver(), settings, workers: 3);
        run.Workers[2].Incarnation = 2;
        var probe = CreateTestProbe();
        var actor = Sys.ActorOf(Props.Create(() => new WorkerActor(run, probe.Ref, new(2))));
        foreach (var input in inputs.Where(input => input is IMessage or MachineStarted))
        {
            actor.Tell(input);
        }

        CheckSent("worker-one-by-one", actor, probe, _ => 1);
    }

    [Fact]
    public void A_shard_actor_sends_what_the_transcript_says()
    {
        var (_, inputs) = Load("shard-one-order");
        var settings = new CoordinatorSettings { Leaves = 2, Steps = 9, Shards = 2, WorkersToStart = 2, FirstStep = new(5) };
        var host = new ScriptedHost(inputs);
        var run = new LocalRun(host, new RecordingObserver(), settings, workers: 2);
        foreach (var source in inputs.OfType<ReductionOrdered>().First().Sources)
        {
            run.Gradients.Enter(source.Worker, host);
            run.Gradients.Hold(source.Worker, source.Buffer);
        }

        var probe = CreateTestProbe();
        var actor = Sys.ActorOf(Props.Create(() => new ShardActor(run, probe.Ref, new(1))));
        foreach (var input in inputs.Where(input => input is IMessage or MachineStarted))
        {
            actor.Tell(input);
        }

        CheckSent("shard-one-order", actor, probe, _ => 1);
    }

    [Fact]
    public void A_gradient_that_is_no_longer_held_fails_the_shard_and_not_its_slice()
    {
        var settings = new CoordinatorSettings { Leaves = 1, Steps = 9, Shards = 1, WorkersToStart = 1 };
        using var host = new ScriptedHost([]);
        var run = new LocalRun(host, new RecordingObserver(), settings, workers: 1);
        run.Gradients.Enter(new(0), host);
        run.Gradients.Hold(new(0), new(new(7), 0));

        var probe = CreateTestProbe();
        var actor = Sys.ActorOf(Props.Create(() => new ShardActor(run, probe.Ref, new(0))));
        actor.Tell(new MachineStarted());
        probe.ExpectMsg(new ShardStarted(new(0), new(1), new(0), new(0)));
        actor.Tell(new ReductionOrdered(new(1), new(0), [new(new LeafNode(0, 0), new(0), new(new(6), 0))], new(1)));

        var lost = probe.ExpectMsg<ShardLost>();
        Assert.Contains("does not hold the gradient", lost.Reason, StringComparison.Ordinal);
        probe.ExpectMsg(new ShardStarted(new(0), new(2), new(0), new(0)));
    }

    private static (List<string> Machine, List<Input> Inputs) Load(string name)
    {
        var lines = Transcript.Load(name).Lines;
        var machine = lines.Select(TranscriptText.Words).First(
            words => words.Count > 0 && words[0] is "coordinator" or "worker" or "shard");
        return (machine, [.. lines.Where(line => line.StartsWith('>')).Select(line => TranscriptText.ReadInput(line[2..]))]);
    }

    /// <summary>
    /// Everything the actor sent to the probe, against the transcript; the actor's own identity marks the end, as it has to stand behind
    /// all before it.
    /// </summary>
    private static void CheckSent(string name, IActorRef actor, TestProbe probe, Func<string, int> copies)
    {
        actor.Tell(new Identify(name), probe);
        var sent = new List<string>();
        while (probe.ReceiveOne(TimeSpan.FromSeconds(10)) is not ActorIdentity and var message)
        {
            Assert.NotNull(message);
            if (message is Input)
            {
                sent.Add(TranscriptText.Write(message));
            }
        }

        var expected = new List<string>();
        foreach (var line in Transcript.Load(name).Lines.Where(line => line.StartsWith('<')).Select(line => line[2..]))
        {
            var destination = TranscriptText.Words(line)[0];
            if (destination.Contains(':', StringComparison.Ordinal) || destination is "coordinator" or "shards" or "workers")
            {
                var text = line[(destination.Length + 1)..];
                expected.AddRange(Enumerable.Repeat(text, copies(destination)));
            }
        }

        Assert.Equal(expected, sent);
    }
}
