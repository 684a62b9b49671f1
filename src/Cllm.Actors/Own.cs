using Akka.Actor;
using Cllm.Protocol;

namespace Cllm.Actors;

/// <summary>An input that a machine gets from its own host and not from another machine: it never leaves the process.</summary>
internal sealed record Own(Input Input) : INoSerializationVerificationNeeded
{
    /// <summary>The input that an actor was told, by whomever; none when it is something else.</summary>
    public static Input? InputIn(object message) => (message as Own)?.Input ?? message as Input;
}
