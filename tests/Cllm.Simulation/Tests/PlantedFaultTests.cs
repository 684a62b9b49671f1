using Cllm.Simulation.Faults;
using Xunit.Abstractions;

namespace Cllm.Simulation.Tests;

/// <summary>The checkers can fail: each fault that is planted in the program is caught.</summary>
public sealed class PlantedFaultTests(ITestOutputHelper output)
{
    private const ulong SeedsMax = 1000;

    public static TheoryData<string> Planted => [.. Enum.GetNames<PlantedFault>().Where(name => name != nameof(PlantedFault.None))];

    [Theory]
    [MemberData(nameof(Planted))]
    public void A_planted_fault_is_caught_within_a_thousand_seeds(string name)
    {
        var plant = Enum.Parse<PlantedFault>(name);
        for (var seed = 1UL; seed <= SeedsMax; seed++)
        {
            var scenario = Scenario.Draw(seed, false, null, null);
            if (Simulation.Run(scenario with { Plant = plant }).Violation is { } violation)
            {
                // It is the planted fault that is caught, and nothing else.
                Assert.Null(Simulation.Run(scenario).Violation);
                output.WriteLine($"{name} is caught by seed {seed}: {violation}");
                return;
            }
        }

        Assert.Fail($"{name} went through {SeedsMax} seeds unseen.");
    }
}
