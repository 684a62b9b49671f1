using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Shape;
using Cllm.Tests.Files;

namespace Cllm.Tests.Compute;

public sealed class DivergenceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, float.NaN, "weights")]
    [InlineData(1, float.PositiveInfinity, "moments")]
    [InlineData(2, float.NegativeInfinity, "moments")]
    public void No_checkpoint_is_made_of_what_is_no_number(int vector, float stranger, string what)
    {
        RunPlan plan = TinyRun.PlanFor(new GptShape(17, 6, 1, 2, 8));
        var checkpoints = new CheckpointStore(DiskFileStore.Instance, _folder.FullPath, 1);
        using var host = new RunHost(plan, checkpoints, "digest") { InitialWeights = _ => { }, Warn = _ => { } };
        host.TakeSnapshot(3);
        host.WriteSnapshot(3);
        new[] { host.State.Weights, host.State.FirstMoment, host.State.SecondMoment }[vector].Span[^1] = stranger;
        host.TakeSnapshot(4);

        string sentence = Assert.Throws<TrainingDivergedException>(() => host.WriteSnapshot(4)).Message;

        Assert.StartsWith($"after step 4 the {what} hold what is no finite number", sentence, StringComparison.Ordinal);
        Assert.Equal([3], checkpoints.ListSteps());
    }

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(1, double.PositiveInfinity)]
    public void A_step_without_a_loss_or_a_gradient_is_not_committed(double loss, double norm)
    {
        RunPlan plan = TinyRun.PlanFor(new GptShape(17, 6, 1, 2, 8), batch: 2, leaves: 2);
        using var host = new RunHost(plan, new CheckpointStore(DiskFileStore.Instance, _folder.FullPath, 1), "digest") { InitialWeights = _ => { }, Warn = _ => { } };
        Assert.Throws<TrainingDivergedException>(() => host.Combine(0, [loss, 1], [norm]));
        Assert.Equal(1, host.Combine(0, [12, 0], [1]).Loss);
    }
}
