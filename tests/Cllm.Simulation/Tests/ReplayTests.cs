using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Tests;

public sealed class ReplayTests
{
    [Fact]
    public void A_seed_replays_event_by_event()
    {
        for (var seed = 1UL; seed <= 20; seed++)
        {
            var first = Simulation.Run(Scenario.Draw(seed, false, null, null));
            var second = Simulation.Run(Scenario.Draw(seed, false, null, null));
            Assert.Equal((first.TraceHash, first.Events, first.Ticks), (second.TraceHash, second.Events, second.Ticks));
        }
    }

    [Fact]
    public void Watching_a_seed_does_not_change_it()
    {
        var watched = new List<string>();
        var first = Simulation.Run(Scenario.Draw(3, false, null, null));
        var second = Simulation.Run(Scenario.Draw(3, false, null, null), watched.Add);
        Assert.Equal(first.TraceHash, second.TraceHash);
        Assert.NotEmpty(watched);
    }

    [Fact]
    public void Two_seeds_go_different_ways() => Assert.NotEqual(
        Simulation.Run(Scenario.Draw(1, false, null, null)).TraceHash,
        Simulation.Run(Scenario.Draw(2, false, null, null)).TraceHash);
}
