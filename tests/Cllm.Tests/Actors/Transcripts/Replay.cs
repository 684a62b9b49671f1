using Akka.Actor;
using Cllm.Protocol;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>Tells an actor what a transcript tells its machine, one input after another, and compares what the actor does.</summary>
internal abstract class Replay(TranscriptSystem system, Scene scene) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected TranscriptSystem System => system;

    protected Scene Scene => scene;

    protected TranscriptLog Log { get; } = system.Begin();

    /// <summary>What computes for the actor; none where the actor itself does not.</summary>
    protected abstract ScriptedHost? Host { get; }

    /// <summary>The actor; it has started.</summary>
    protected IActorRef Actor { get; set; } = ActorRefs.Nobody;

    /// <exception cref="Xunit.Sdk.EqualException">The actor does not do what the transcript says.</exception>
    public void Run()
    {
        for (var at = 0; at < scene.Entries.Count;)
        {
            var end = at + 1;
            while (end < scene.Entries.Count && scene.Entries[end].IsOwn)
            {
                end++;
            }

            Entry[] entries = [.. scene.Entries.Skip(at).Take(end - at)];
            system.Time.NowTicks = entries[0].AtTicks;
            Tell(entries);
            if (scene.IsCut && end == scene.Entries.Count)
            {
                Assert.True(Host!.Endless.Wait(Patience), "the actor does not begin the work that never ends");
            }
            else
            {
                Settle();
            }

            Effect[] effects = [.. entries.SelectMany(entry => entry.Effects)];
            Check(effects);
            Assert.Equal([$"after {entries[0].Input}", .. effects.SelectMany(Expect)], [$"after {entries[0].Input}", .. Log.Take()]);
            at = end;
        }
    }

    public virtual void Dispose()
    {
        Host?.End();
        Assert.True(Actor.GracefulStop(Patience).Result);
    }

    /// <summary>Tells the actor the first input; the others are what it finds out by itself meanwhile.</summary>
    protected abstract void Tell(Entry[] entries);

    /// <summary>The lines that an effect leaves in the log.</summary>
    protected abstract IEnumerable<string> Expect(Effect effect);

    /// <summary>Checks what leaves none.</summary>
    protected virtual void Check(Effect[] effects)
    {
    }

    /// <summary>Waits until the actor has done all that it was told.</summary>
    /// <returns>Whether it lives.</returns>
    protected bool Settle() => !Actor.Ask<ActorIdentity>(new Identify(scene.Words[0]), Patience).Result.Subject.IsNobody();

    protected Member Someone(string name, Action<object>? heard = null) => new(name, Log, system.Sys) { Heard = heard ?? (_ => { }) };

    protected static string Write(object part) => TranscriptText.Write(part);

    /// <summary>As whoever passes it on says it.</summary>
    protected static string NoteOf(string who, Note note) => Write(new Note($"{who} {note.Reason}"));
}
