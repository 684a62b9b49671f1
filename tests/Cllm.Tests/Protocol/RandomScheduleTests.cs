using Cllm.Protocol.Coordination;
using FsCheck;
using FsCheck.Xunit;

namespace Cllm.Tests.Protocol;

public sealed class RandomScheduleTests
{
    private static readonly CoordinatorSettings Settings = new()
    {
        Leaves = 6,
        Steps = 8,
        Shards = 3,
        WorkersToStart = 3,
        EvaluationUnits = 5,
        EvaluateEvery = 3,
        CheckpointEvery = 2,
        FailuresMax = int.MaxValue,
        PatienceTicks = 300,
    };

    /// <summary>A leaf is late soon, so that second leases are common.</summary>
    private static readonly CoordinatorSettings Hasty = Settings with { LateTicksMin = 0, TimesMin = 1, TimesMax = 4 };

    private static readonly string Expected = Run(0, Settings with { WorkersToStart = 1 }, Trouble.None).Digest;

    [Property(MaxTest = 150)]
    public void Any_order_of_delivery_gives_the_same_state(DoNotSize<int> seed) => Check(Run(seed.Item, Settings, Trouble.None));

    [Property(MaxTest = 150)]
    public void Doubled_and_lost_messages_change_nothing(DoNotSize<int> seed) =>
        Check(Run(seed.Item, Settings, new(Doubled: 150, Lost: 100, Restarts: 0, Members: 0, Actions: int.MaxValue)));

    [Property(MaxTest = 500)]
    public void Restarts_of_workers_and_shards_change_nothing(DoNotSize<int> seed) =>
        Check(Run(seed.Item, Settings, new(Doubled: 100, Lost: 50, Restarts: 20, Members: 0, Actions: 3000)));

    [Property(MaxTest = 500)]
    public void Joining_and_leaving_change_nothing(DoNotSize<int> seed) =>
        Check(Run(seed.Item, Settings, new(Doubled: 100, Lost: 20, Restarts: 10, Members: 20, Actions: 3000)));

    [Property(MaxTest = 200)]
    public void What_shards_are_told_of_gradients_to_come_changes_nothing(DoNotSize<int> seed) =>
        Check(Run(seed.Item, Settings with { AreGradientsFetched = true }, new(Doubled: 100, Lost: 50, Restarts: 20, Members: 20, Actions: 3000)));

    [Property(MaxTest = 300)]
    public void Second_leases_of_late_leaves_change_nothing(DoNotSize<int> seed) =>
        Check(Run(seed.Item, Hasty, new(Doubled: 100, Lost: 20, Restarts: 10, Members: 20, Actions: 3000)));

    [Fact]
    public void Late_leaves_are_leased_a_second_time_without_any_loss()
    {
        var runs = Enumerable.Range(0, 20).Select(seed => Run(seed, Hasty, Trouble.None)).ToList();
        Assert.All(runs, Check);
        Assert.True(runs.Sum(run => run.LeasedAgain) > 20);
        Assert.All(Enumerable.Range(0, 20), seed => Assert.Equal(0, Run(seed, Hasty with { WorkersToStart = 1, PatienceTicks = 1_000_000 }, Trouble.None).LeasedAgain));
    }

    [Property(MaxTest = 300)]
    public void A_coordinator_that_succeeds_another_ends_with_the_same_state(DoNotSize<int> seed)
    {
        var run = Run(seed.Item, Hasty, new(Doubled: 50, Lost: 20, Restarts: 10, Members: 10, Actions: 3000) { Coordinators = 20 });
        Assert.Equal(RunOutcome.Finished, run.End?.Outcome);
        Assert.Equal(Expected, run.Digest);
        Assert.Equal(0, run.LeasesOutstanding);
    }

    [Fact]
    public void The_number_of_workers_changes_nothing()
    {
        Assert.All(Enumerable.Range(1, 9), workers => Check(Run(workers, Settings with { WorkersToStart = workers }, Trouble.None)));
    }

    private static RandomSchedule Run(int seed, CoordinatorSettings settings, Trouble trouble)
    {
        var schedule = new RandomSchedule(seed, settings, trouble);
        schedule.Run();
        return schedule;
    }

    private static void Check(RandomSchedule run)
    {
        Assert.Equal(RunOutcome.Finished, run.End?.Outcome);
        Assert.Equal(Expected, run.Digest);
        Assert.Equal(Enumerable.Range(0, (int)Settings.Steps).Select(step => (long)step), run.Reported.Select(step => step.Number));
        Assert.Equal(0, run.LeasesOutstanding);
        Assert.Equal(0, run.LeasesWaiting);
    }
}
