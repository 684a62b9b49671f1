using Cllm.Simulation.Faults;
using Xunit.Abstractions;

namespace Cllm.Simulation.Tests;

/// <summary>What a node that ends in order, and another one in its place, may cost.</summary>
public sealed class MoveTests(ITestOutputHelper output)
{
    private const int Seeds = 60;

    [Fact]
    public void Nodes_that_leave_and_join_in_order_move_their_shards_and_bring_no_run_back()
    {
        var (leaves, moves, restores, coordinators) = (0L, 0L, 0L, 0L);
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var scenario = Scenario.Draw(seed, false, 2 + (int)(seed % 5), 2);
            var rates = new double[Scenario.Kinds];
            rates[(int)FaultKind.NodeLeave] = 0.02;
            var outcome = Simulation.Run(scenario with { Rates = rates });
            Assert.True(outcome.Violation is null, $"Seed {seed}: {outcome.Violation}");
            leaves += outcome.Counts[(int)FaultKind.NodeLeave];
            moves += outcome.Moves;
            restores += outcome.Restores;
            coordinators += outcome.Coordinators;
        }

        output.WriteLine($"{leaves} nodes left, {moves} shards moved, {coordinators} coordinators, {restores} restores");
        Assert.True(leaves > Seeds && moves > Seeds, $"only {leaves} nodes left and {moves} shards moved");

        // A run in a cluster begins with a restore, which gives the nodes the state; a coordinator that went with its node may have to begin with one as well.
        Assert.True(restores <= coordinators, $"{restores} restores with {coordinators} coordinators");
    }
}
