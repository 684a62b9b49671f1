using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Serialization;
using Cllm.Actors.Local;
using Cllm.Actors.Wire;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>What an actor does, in the order in which it does it, as lines of a transcript.</summary>
internal sealed class TranscriptLog : ITrainingObserver
{
    private readonly ConcurrentQueue<string> _lines = new();

    public void Add(string line) => _lines.Enqueue(line);

    /// <summary>What was added since this was asked last.</summary>
    public List<string> Take()
    {
        var lines = new List<string>();
        while (_lines.TryDequeue(out var line))
        {
            lines.Add(line);
        }

        return lines;
    }

    public void StepDone(long step, StepScalars scalars, TimeSpan elapsed) =>
        Add(TranscriptText.Write(new StepReported(new(step), Cllm.Actors.Words.Of(scalars), elapsed.Ticks)));

    public void EvaluationDone(long step, double loss) => Add(TranscriptText.Write(new EvaluationReported(new(step), Cllm.Actors.Words.Of([loss]))));

    public void CheckpointDone(long step, string digest) => Add(TranscriptText.Write(new CheckpointReported(new(step), digest)));

    public void Note(string reason)
    {
        // What the actor system says of itself is not the machine's.
        if (!reason.StartsWith("Akka.NET:", StringComparison.Ordinal))
        {
            Add(TranscriptText.Write(new Note(reason)));
        }
    }

    public void Failed(string sentence) => Add($"Failed {sentence}");
}

/// <summary>Whoever an actor sends to: what reaches it has been written and read by its serializer, and is logged behind its address.</summary>
internal sealed class Member(string name, TranscriptLog log, ActorSystem system) : MinimalActorRef
{
    /// <summary>Hears of what the hosts tell each other beside the machines' messages.</summary>
    public Action<object> Heard { get; init; } = _ => { };

    public override ActorPath Path { get; } = new RootActorPath(new Address("akka", system.Name)) / "transcript" / name;

    public override IActorRefProvider Provider => ((ExtendedActorSystem)system).Provider;

    protected override void TellInternal(object message, IActorRef sender)
    {
        var read = message is INoSerializationVerificationNeeded ? message : Travelled(message);
        switch (read)
        {
            case Input:
                log.Add($"{name} {TranscriptText.Write(read)}");
                break;
            case Noted noted:
                log.Note(noted.Reason);
                break;
            default:
                Heard(read);
                break;
        }
    }

    private object Travelled(object message)
    {
        var wire = Assert.IsType<WireSerializer>(system.Serialization.FindSerializerFor(message));
        return wire.FromBinary(wire.ToBinary(message), wire.Manifest(message));
    }
}
