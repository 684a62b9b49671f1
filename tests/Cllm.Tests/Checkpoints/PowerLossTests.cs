namespace Cllm.Tests.Checkpoints;

/// <summary>Power is lost before every single change to the disk, and what was not flushed survives as a few seeds have it.</summary>
public sealed class PowerLossTests
{
    private const int Seeds = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Power_lost_at_any_moment_leaves_the_newest_checkpoint_or_the_one_before(int kept)
    {
        int operations = OperationsOfTheThirdWrite(kept);
        for (int moment = 0; moment <= operations; moment++)
        {
            for (int seed = 0; seed < Seeds; seed++)
            {
                var store = new MemoryFileStore();
                var run = new SampleRun(store, kept: kept);
                run.Write(10);
                run.Write(20);
                bool returned = WriteUntilPowerIsLost(store, run, 30, moment);
                store.Restart(new Random(seed));
                long? step = run.ReadNewest();
                Assert.True(step == 30 || (step == 20 && !returned), $"Moment {moment}, seed {seed}: found step {step}.");
                Assert.Empty(run.Warnings);
            }
        }
    }

    [Fact]
    public void Power_lost_during_the_first_checkpoint_leaves_it_whole_or_none()
    {
        int operations = OperationsOf(new MemoryFileStore(), store => new SampleRun(store).Write(10));
        for (int moment = 0; moment <= operations; moment++)
        {
            for (int seed = 0; seed < Seeds; seed++)
            {
                var store = new MemoryFileStore();
                var run = new SampleRun(store);
                bool returned = WriteUntilPowerIsLost(store, run, 10, moment);
                store.Restart(new Random(seed));
                long? step = run.ReadNewest();
                Assert.True(step == 10 || (step is null && !returned), $"Moment {moment}, seed {seed}: found step {step}.");
                Assert.Empty(run.Warnings);
            }
        }
    }

    [Fact]
    public void After_a_power_loss_the_run_goes_on_and_no_leftovers_stay()
    {
        int operations = OperationsOfTheThirdWrite(kept: 2);
        for (int moment = 0; moment < operations; moment++)
        {
            var store = new MemoryFileStore();
            var run = new SampleRun(store);
            run.Write(10);
            run.Write(20);
            WriteUntilPowerIsLost(store, run, 30, moment);
            store.Restart(new Random(moment));
            run.Write(30);
            run.Write(40);
            Assert.Equal(40, run.ReadNewest());
            Assert.Equal(["step-30", "step-40"], store.List("/run/checkpoints"));
        }
    }

    private static bool WriteUntilPowerIsLost(MemoryFileStore store, SampleRun run, long step, int moment)
    {
        store.LosePowerAfter(moment);
        try
        {
            run.Write(step);
            return true;
        }
        catch (PowerLostException)
        {
            return false;
        }
    }

    private static int OperationsOfTheThirdWrite(int kept)
    {
        var store = new MemoryFileStore();
        var run = new SampleRun(store, kept: kept);
        run.Write(10);
        run.Write(20);
        return OperationsOf(store, _ => run.Write(30));
    }

    private static int OperationsOf(MemoryFileStore store, Action<MemoryFileStore> act)
    {
        int before = store.Operations;
        act(store);
        return store.Operations - before;
    }
}
