using System.Security.Cryptography;
using Cllm.Simulation.Faults;
using Xunit.Abstractions;

namespace Cllm.Simulation.Tests;

public sealed class SeedTests(ITestOutputHelper output)
{
    private const int FixedSeeds = 300;
    private const int FreshSeeds = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Three_hundred_fixed_seeds_end_with_the_bits_of_the_run_without_faults(int part) =>
        RunAll((ulong)((part - 1) * FixedSeeds / 3) + 1, FixedSeeds / 3, isRealModel: false);

    [Fact]
    public void Fresh_seeds_end_with_the_bits_of_the_run_without_faults() =>
        RunAll((ulong)RandomNumberGenerator.GetInt32(1_000_000, int.MaxValue), FreshSeeds, isRealModel: false);

    [Fact]
    public void A_seed_of_the_real_model_that_once_broke_a_rule_breaks_none() => RunAll(170, 1, isRealModel: true, isMild: true);

    [Fact]
    public void A_real_model_ends_with_the_bits_of_the_run_without_faults() => RunAll(1, 20, isRealModel: true);

    [Theory]
    [InlineData(43)]
    [InlineData(337)]
    [InlineData(446)]
    [InlineData(542)]
    [InlineData(752)]
    [InlineData(1219)]
    [InlineData(2639)]
    [InlineData(4051)]
    [InlineData(7293)]
    [InlineData(8765)]
    [InlineData(10477)]
    [InlineData(41862)]
    [InlineData(73434)]
    [InlineData(75615)]
    [InlineData(100831)]
    [InlineData(170426)]
    [InlineData(170613)]
    [InlineData(181024)]
    [InlineData(185886)]
    [InlineData(1002178)]
    [InlineData(2001759)]
    [InlineData(3003543)]
    [InlineData(4006463)]
    public void A_seed_that_once_broke_a_rule_breaks_none(ulong seed) => RunAll(seed, 1, isRealModel: false, isMild: true);

    [Theory]
    [InlineData(204767)]
    [InlineData(208654)]
    [InlineData(303131)]
    [InlineData(303651)]
    [InlineData(304651)]
    [InlineData(409816)]
    public void A_harsh_seed_that_once_broke_a_rule_breaks_none(ulong seed) => RunAll(seed, 1, isRealModel: false);

    private void RunAll(ulong first, int count, bool isRealModel, bool isMild = false)
    {
        output.WriteLine($"seeds {first} to {first + (ulong)count - 1}");
        for (var seed = first; seed < first + (ulong)count; seed++)
        {
            var outcome = Simulation.Run(Scenario.Draw(seed, isRealModel, null, null, isMild));
            var model = (isRealModel ? " --real-model" : "") + (isMild ? " --mild" : "");
            Assert.True(outcome.Violation is null, $"Seed {seed}: {outcome.Violation}. Replay: ./simulate --seed {seed} --count 1{model} --trace");
        }
    }
}
