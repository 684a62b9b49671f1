using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Xunit2;
using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;

namespace Cllm.Tests.Actors;

public sealed class RunActorTests() : TestKit(Hocon.Load())
{
    [Fact]
    public async Task A_warning_of_the_actor_system_is_a_note_of_the_run_without_its_stack()
    {
        var settings = new CoordinatorSettings { Leaves = 2, Steps = 1_000_000, Shards = 1, WorkersToStart = 1 };
        var host = new FakeHost(2) { BeforeCombine = step => PublishIf(step == 0) };
        var observer = new RecordingObserver { AtNote = _ => Sys.ActorSelection("/user/run").Tell(new StopRequested()) };
        var run = new LocalRun(host, observer, settings, workers: 1);
        var end = new TaskCompletionSource<TrainingEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        Sys.ActorOf(Props.Create(() => new RunActor(run, end)), "run");

        Assert.Equal(RunOutcome.Stopped, (await end.Task).Outcome);
        Assert.Contains("Akka.NET: the disk is nearly full", observer.Notes);
    }

    [Fact]
    public async Task A_run_ends_with_its_actor_system()
    {
        var settings = new CoordinatorSettings { Leaves = 2, Steps = 1_000_000, Shards = 1, WorkersToStart = 1 };
        var run = new LocalRun(new FakeHost(2), new RecordingObserver(), settings, workers: 1);
        var end = new TaskCompletionSource<TrainingEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        Sys.ActorOf(Props.Create(() => new RunActor(run, end)), "run");
        await Sys.Terminate();
        Assert.Equal(RunOutcome.Failed, (await end.Task).Outcome);
    }

    private void PublishIf(bool condition)
    {
        if (condition)
        {
            Sys.EventStream.Publish(new Warning("test", typeof(RunActorTests), "the disk is nearly full\n   at Akka.Somewhere()"));
        }
    }
}
