namespace Cllm.Simulation.Engine;

/// <summary>What must never happen has happened.</summary>
internal sealed class SimulationViolation(string checker, string reason) : Exception($"{checker}: {reason}")
{
    /// <summary>Stops the simulation unless the condition holds.</summary>
    public static void Unless(bool condition, string checker, string reason)
    {
        if (!condition)
        {
            throw new SimulationViolation(checker, reason);
        }
    }
}
