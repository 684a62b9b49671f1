using Cllm.Model.Run;

namespace Cllm.Model.Optimization;

/// <summary>Linear warm-up, then cosine decay (Loshchilov and Hutter 2017): a pure function of the step, computed in double.</summary>
public static class LearningRateSchedule
{
    /// <summary>The learning rate of a step, counted from 0.</summary>
    /// <param name="optimizer">Peak, floor and warm-up.</param>
    /// <param name="steps">Steps of the whole run.</param>
    /// <param name="step">The step.</param>
    public static double At(OptimizerConfiguration optimizer, long steps, long step)
    {
        if (step < optimizer.WarmupSteps)
        {
            return optimizer.LearningRate * (step + 1) / optimizer.WarmupSteps;
        }

        long decay = steps - optimizer.WarmupSteps;
        double progress = decay <= 0 ? 1 : Math.Min(1.0, (double)(step - optimizer.WarmupSteps) / decay);
        double share = 0.5 * (1 + CosinePi(progress));
        return optimizer.MinimumLearningRate + ((optimizer.LearningRate - optimizer.MinimumLearningRate) * share);
    }

    /// <summary>
    /// cos(pi * x) for x in [0, 1] as 1 - 2 sin²(pi * x / 2). The C library's cosine may round differently from one system to the next;
    /// this series uses only operations IEEE 754 defines to the bit.
    /// </summary>
    internal static double CosinePi(double x)
    {
        double angle = x * (Math.PI / 2), square = angle * angle, term = angle, sine = angle;
        for (int i = 1; i <= 14; i++)
        {
            term *= -square / ((2 * i) * ((2 * i) + 1));
            sine += term;
        }

        return 1 - (2 * sine * sine);
    }
}
