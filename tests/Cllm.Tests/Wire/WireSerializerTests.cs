using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Serialization;
using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Actors.Wire;
using Cllm.Protocol;
using Cllm.Protocol.Messages;
using Cllm.Tests.Actors;
using Cllm.Tests.Files;

namespace Cllm.Tests.Wire;

public sealed class WireSerializerTests
{
    private const string EveryMessageThroughSerializers = "akka.actor.serialize-messages = on";

    [Fact]
    public async Task A_run_whose_every_message_goes_through_its_serializer_has_the_same_bits()
    {
        var digests = new List<string>();
        foreach (var hocon in new[] { null, ConfigurationFactory.ParseString(EveryMessageThroughSerializers).WithFallback(Hocon.Load()) })
        {
            var settings = new LocalTrainingSettings
            {
                Leaves = 6, Steps = 8, Workers = 3, Shards = 2, EvaluateEvery = 4, CheckpointEvery = 3, Hocon = hocon,
            };
            var (host, observer) = (new FakeHost(6), new RecordingObserver());
            var end = await LocalTraining.RunAsync(settings, host, observer, CancellationToken.None);
            Assert.Equal(8, end.CommittedSteps);
            Assert.Empty(observer.Notes);
            digests.Add(host.Digest);
        }

        Assert.Equal(digests[0], digests[1]);
    }

    [Fact]
    public async Task With_that_setting_a_message_arrives_as_another_object()
    {
        using var system = Create();
        var arrived = new TaskCompletionSource<object>();
        var actor = system.ActorOf(Props.Create(() => new Keeper(arrived)));
        var sent = new StepCommitted(new(1), new(2), Payload.Of([3]));
        actor.Tell(sent, ActorRefs.NoSender);
        var got = await arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.NotSame(sent, got);
        Assert.True(Instances.Same(sent, got));
    }

    [Fact]
    public void Every_message_is_bound_to_the_wire()
    {
        using var system = Create();
        foreach (var type in WireTypes.OfProgram.Messages)
        {
            Assert.IsType<WireSerializer>(system.Serialization.FindSerializerForType(type));
        }
    }

    [Fact]
    public async Task What_is_refused_is_said_and_a_storm_of_it_is_said_now_and_then()
    {
        using var system = Create();
        var said = new Ear();
        var ear = system.ActorOf(Props.Create(() => new Listener(said)));
        system.EventStream.Subscribe(ear, typeof(Warning));
        var wire = (SerializerWithStringManifest)system.Serialization.FindSerializerForType(typeof(StepCommitted));
        for (var i = 0; i < 100; i++)
        {
            Assert.ThrowsAny<Exception>(() => wire.FromBinary([254, 0, 0], wire.Manifest(new StopRequested())));
        }

        Assert.ThrowsAny<Exception>(() => wire.FromBinary([], "0ther\nversion"));
        Assert.ThrowsAny<Exception>(() => wire.ToBinary(new Epochal()));
        for (var i = 0; i < 26; i++)
        {
            Assert.ThrowsAny<Exception>(() => wire.FromBinary(wire.ToBinary(new StopRequested()), "12345678"));
        }

        // The 128th.
        await said.Reached(8).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(8, said.Sentences.Count);
        Assert.Contains("12345678", said.Sentences.Last(), StringComparison.Ordinal);
        Assert.All(said.Sentences, sentence => Assert.DoesNotContain('\n', sentence));
    }

    private static ActorSystem Create() =>
        ActorSystem.Create("wire", ConfigurationFactory.ParseString(EveryMessageThroughSerializers).WithFallback(Hocon.Load()));

    private sealed record Epochal : IWire;

    private sealed class Keeper : UntypedActor
    {
        private readonly TaskCompletionSource<object> _arrived;

        public Keeper(TaskCompletionSource<object> arrived) => _arrived = arrived;

        protected override void OnReceive(object message) => _arrived.TrySetResult(message);
    }

    private sealed class Ear
    {
        private readonly TaskCompletionSource _full = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _wanted = int.MaxValue;

        public List<string> Sentences { get; } = [];

        public Task Reached(int count)
        {
            lock (Sentences)
            {
                _wanted = count;
                Check();
            }

            return _full.Task;
        }

        public void Hear(string sentence)
        {
            lock (Sentences)
            {
                Sentences.Add(sentence);
                Check();
            }
        }

        private void Check()
        {
            if (Sentences.Count >= _wanted)
            {
                _full.TrySetResult();
            }
        }
    }

    private sealed class Listener : UntypedActor
    {
        private readonly Ear _ear;

        public Listener(Ear ear) => _ear = ear;

        protected override void OnReceive(object message) => _ear.Hear(((LogEvent)message).Message.ToString()!);
    }
}
