using Cllm.Model.Optimization;
using Cllm.Model.Run;
using Cllm.Tests.Compute;

namespace Cllm.Tests.Optimization;

public sealed class ScheduleTests
{
    private static readonly OptimizerConfiguration Optimizer =
        TinyRun.Configuration(new(10, 4, 1, 1, 4), batch: 1, leaves: 1, dropout: 0, steps: 10).Optimizer;

    [Fact]
    public void The_rate_warms_up_linearly_and_falls_along_a_cosine()
    {
        for (int step = 0; step < 40; step++)
        {
            double expected = step < 3
                ? 3e-3 * (step + 1) / 3
                : 3e-4 + ((3e-3 - 3e-4) * 0.5 * (1 + Math.Cos(Math.PI * (step - 3) / 37)));
            Assert.Equal(expected, LearningRateSchedule.At(Optimizer, 40, step), 1e-15);
        }
    }

    [Fact]
    public void The_cosine_is_right_to_the_last_digits()
    {
        for (int i = 0; i <= 1000; i++)
        {
            Assert.Equal(Math.Cos(Math.PI * i / 1000), LearningRateSchedule.CosinePi(i / 1000.0), 4e-15);
        }
    }

    [Fact]
    public void A_run_that_ends_within_its_warm_up_never_divides_by_zero()
    {
        Assert.Equal(1e-3, LearningRateSchedule.At(Optimizer, 2, 0), 1e-15);
        Assert.Equal(3e-4, LearningRateSchedule.At(Optimizer, 3, 3), 1e-15);
    }

    [Fact]
    public void Bias_corrections_follow_the_number_of_updates()
    {
        Assert.Equal(1 / (1 - 0.9), AdamWStep.Scalars(Optimizer, 0, 1, 1).FirstCorrection, 1e-5);
        Assert.Equal(1 / (1 - Math.Pow(0.95, 20)), AdamWStep.Scalars(Optimizer, 19, 1, 1).SecondCorrection, 1e-5);
    }

    [Fact]
    public void Clipping_scales_only_norms_above_the_clip()
    {
        Assert.Equal(1f, AdamWStep.ClipScale(Optimizer, 0.5));
        Assert.Equal(0.25f, AdamWStep.ClipScale(Optimizer, 4));
        Assert.Equal(1f, AdamWStep.ClipScale(Optimizer with { GradientClip = 0 }, 4));
    }
}
