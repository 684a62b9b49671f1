namespace Cllm.Numerics.Parallel;

/// <summary>Work that all threads of a <see cref="ThreadTeam"/> run together, each on its own part of the outputs.</summary>
public interface ITeamProgram
{
    /// <summary>Runs one thread's part; threads meet at <see cref="ThreadTeam.Barrier"/>.</summary>
    /// <param name="team">The team, for its barrier and for cutting outputs.</param>
    /// <param name="member">This thread's number, 0 to <see cref="ThreadTeam.Threads"/> - 1.</param>
    void Run(ThreadTeam team, int member);
}
