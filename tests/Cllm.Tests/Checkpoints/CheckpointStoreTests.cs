using Cllm.Model;
using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Model.Shape;
using Cllm.Tests.Files;

namespace Cllm.Tests.Checkpoints;

public sealed class CheckpointStoreTests
{
    private readonly MemoryFileStore _store = new();

    [Fact]
    public void A_checkpoint_comes_back_bit_for_bit()
    {
        var run = new SampleRun(_store);
        run.Write(7);
        Assert.Equal(7, run.ReadNewest());
        Assert.Empty(run.Warnings);
    }

    [Fact]
    public void A_checkpoint_on_disk_comes_back_bit_for_bit()
    {
        using var folder = new TemporaryFolder();
        var run = new SampleRun(DiskFileStore.Instance, folder.FullPath);
        run.Write(7);
        run.Write(8);
        Assert.Equal(8, run.ReadNewest());
        Assert.Equal(["step-7", "step-8"], DiskFileStore.Instance.List(folder.At("checkpoints")));
        Assert.Equal(["model.safetensors", "optimizer.safetensors", "state.json"], DiskFileStore.Instance.List(run.Checkpoints.PathOf(8)));
    }

    [Fact]
    public void A_run_without_checkpoints_starts_at_the_beginning() => Assert.Null(new SampleRun(_store).ReadNewest());

    [Fact]
    public void Equal_states_give_equal_bytes()
    {
        var other = new MemoryFileStore();
        var (a, b) = (new SampleRun(_store), new SampleRun(other, "/elsewhere"));
        a.Write(3);
        b.Write(3);
        foreach (string name in _store.List(a.Checkpoints.PathOf(3)))
        {
            Assert.Equal(
                _store.Bytes(Path.Combine(a.Checkpoints.PathOf(3), name)), other.Bytes(Path.Combine(b.Checkpoints.PathOf(3), name)));
        }
    }

    [Fact]
    public void The_state_names_shape_step_and_digests()
    {
        var run = new SampleRun(_store);
        run.Write(3);
        var state = CheckpointFolder.Verify(_store, run.Checkpoints.PathOf(3));
        Assert.Equal(3, state.Step);
        Assert.Equal(SampleRun.Layout.Shape, state.Shape);
        Assert.Equal(Digest.Weights(SampleRun.Layout, SampleRun.StateAfter(3, 0)), state.WeightsDigest);
        Assert.Equal(Digest.Optimizer(SampleRun.Layout, SampleRun.StateAfter(3, 1), SampleRun.StateAfter(3, 2)), state.OptimizerDigest);
    }

    [Fact]
    public void The_newest_stay_and_older_ones_go()
    {
        var run = new SampleRun(_store, kept: 3);
        for (long step = 8; step <= 12; step++)
        {
            run.Write(step);
        }

        Assert.Equal([10L, 11, 12], run.Checkpoints.ListSteps());
        Assert.Equal(["step-10", "step-11", "step-12"], _store.List("/run/checkpoints"));
    }

    [Fact]
    public void A_damaged_checkpoint_is_passed_over_with_one_sentence()
    {
        var run = TwoCheckpoints();
        Flip(Path.Combine(run.Checkpoints.PathOf(20), "optimizer.safetensors"), bit: 12345);
        Assert.Equal(10, run.ReadNewest());
        string warning = Assert.Single(run.Warnings);
        Assert.Contains("step-20", warning);
        Assert.Contains("optimizer.safetensors", warning);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    public void A_checkpoint_without_one_of_its_files_is_passed_over(string name)
    {
        var run = TwoCheckpoints();
        _store.Delete(Path.Combine(run.Checkpoints.PathOf(20), name));
        Assert.Equal(10, run.ReadNewest());
    }

    [Fact]
    public void A_checkpoint_under_another_steps_name_is_passed_over()
    {
        var run = TwoCheckpoints();
        _store.Rename(run.Checkpoints.PathOf(20), run.Checkpoints.PathOf(30));
        Assert.Equal(10, run.ReadNewest());
    }

    [Fact]
    public void Files_of_another_checkpoint_do_not_fit()
    {
        var run = TwoCheckpoints();
        byte[] older = _store.Bytes(Path.Combine(run.Checkpoints.PathOf(10), "model.safetensors"));
        _store.Overwrite(Path.Combine(run.Checkpoints.PathOf(20), "model.safetensors"), older);
        Assert.Equal(10, run.ReadNewest());
    }

    [Fact]
    public void A_checkpoint_of_another_configuration_is_refused_and_not_passed_over()
    {
        var run = TwoCheckpoints();
        float[] flat = new float[SampleRun.Layout.Length];
        var e = Assert.Throws<InputException>(
            () => run.Checkpoints.ReadNewest(SampleRun.Layout, "decaf", flat, flat, flat, run.Warnings.Add));
        Assert.Contains("step-20", e.Message);
        Assert.Contains("c0ffee there and decaf here", e.Message);
        Assert.Empty(run.Warnings);
    }

    [Fact]
    public void A_checkpoint_of_another_shape_is_refused_with_both_shapes()
    {
        var run = TwoCheckpoints();
        var wider = new ParameterLayout(SampleRun.Layout.Shape with { Width = 8 });
        float[] flat = new float[wider.Length];
        var e = Assert.Throws<InputException>(
            () => run.Checkpoints.ReadNewest(wider, SampleRun.ConfigurationDigest, flat, flat, flat, run.Warnings.Add));
        Assert.Contains("Width = 4", e.Message);
        Assert.Contains("Width = 8", e.Message);
    }

    [Fact]
    public void What_killed_writers_left_is_removed_and_nothing_else()
    {
        var run = TwoCheckpoints();
        _store.CreateFolder("/run/checkpoints/step-30.tmp/inner");
        _store.CreateFolder("/run/checkpoints/mine");
        run.Checkpoints.RemoveLeftovers();
        Assert.Equal(["mine", "step-10", "step-20"], _store.List("/run/checkpoints"));
        Assert.Equal([10L, 20], run.Checkpoints.ListSteps());
    }

    [Fact]
    public void A_damaged_checkpoint_is_replaced_when_the_run_comes_to_its_step_again()
    {
        var run = TwoCheckpoints();
        Flip(Path.Combine(run.Checkpoints.PathOf(20), "state.json"), bit: 99);
        Assert.Equal(10, run.ReadNewest());
        run.Write(20);
        Assert.Equal(20, run.ReadNewest());
        Assert.Empty(run.Warnings);
    }

    [Fact]
    public void A_new_checkpoint_outlives_damaged_ones_of_later_steps()
    {
        var run = new SampleRun(_store, kept: 1);
        run.Write(20);
        Flip(Path.Combine(run.Checkpoints.PathOf(20), "state.json"), bit: 99);
        run.Write(15);
        Assert.Equal(15, run.ReadNewest());
        Assert.Single(run.Warnings);
        run.Write(25);
        Assert.Equal([25L], run.Checkpoints.ListSteps());
    }

    [Fact]
    public void An_intact_checkpoint_is_not_written_a_second_time()
    {
        var run = TwoCheckpoints();
        int before = _store.Operations;
        run.Write(20);
        Assert.Equal(before, _store.Operations);
    }

    private SampleRun TwoCheckpoints()
    {
        var run = new SampleRun(_store);
        run.Write(10);
        run.Write(20);
        return run;
    }

    private void Flip(string path, int bit)
    {
        byte[] content = [.. _store.Bytes(path)];
        content[bit / 8] ^= (byte)(1 << (bit % 8));
        _store.Overwrite(path, content);
    }
}
