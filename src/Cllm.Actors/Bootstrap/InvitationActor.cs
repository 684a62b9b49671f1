using Akka.Actor;

namespace Cllm.Actors.Bootstrap;

/// <summary>
/// Tells whoever asks what the run is. Question and answer are plain bytes, for a program of another version has to understand them; every node of a run has
/// one of these, so any of them can be joined.
/// </summary>
/// <param name="invitation">The answer.</param>
internal sealed class InvitationActor(byte[] invitation) : UntypedActor
{
    /// <summary>Its name under /user.</summary>
    public const string Name = "invitation";

    /// <summary>The question. Whatever else is said gets no answer.</summary>
    public static readonly byte[] Question = "cllm: what is the run?"u8.ToArray();

    protected override void OnReceive(object message)
    {
        if (message is byte[] question && question.AsSpan().SequenceEqual(Question))
        {
            Sender.Tell(invitation, ActorRefs.NoSender);
        }
    }
}
