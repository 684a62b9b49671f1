using System.Diagnostics.CodeAnalysis;

namespace Cllm.Protocol;

/// <summary>
/// Checks of what must hold whatever the world does. They stay on in release: a machine that is wrong stops rather than computes wrong
/// weights.
/// </summary>
public static class Invariant
{
    /// <summary>Stops the machine unless the condition holds.</summary>
    /// <param name="condition">What must hold.</param>
    /// <param name="reason">What is wrong when it does not.</param>
    /// <exception cref="InvalidOperationException">The condition does not hold.</exception>
    public static void Holds([DoesNotReturnIf(false)] bool condition, string reason)
    {
        if (!condition)
        {
            throw Broken(reason);
        }
    }

    /// <summary>The exception for a state that cannot be.</summary>
    /// <param name="reason">What is wrong.</param>
    public static InvalidOperationException Broken(string reason) => new($"Invariant broken: {reason}.");
}
