using Cllm.Numerics.Random;

namespace Cllm.Tests.Numerics;

/// <summary>Inputs that are the same on every machine, and comparisons with exact results.</summary>
internal static class Numbers
{
    /// <summary>Uniform numbers in [-magnitude, magnitude).</summary>
    public static float[] Floats(int count, uint stream, float magnitude = 1)
    {
        var numbers = new float[count];
        for (var i = 0; i < count; i++)
        {
            numbers[i] = magnitude * (float)(2 * Philox.Uniform(1, stream, (ulong)i) - 1);
        }

        return numbers;
    }

    /// <summary>Uniform integers in [0, below).</summary>
    public static int[] Integers(int count, uint stream, int below)
    {
        var numbers = new int[count];
        for (var i = 0; i < count; i++)
        {
            numbers[i] = (int)(below * Philox.Uniform(2, stream, (ulong)i));
        }

        return numbers;
    }

    public static double[] Doubles(float[] numbers) => Array.ConvertAll(numbers, x => (double)x);

    /// <summary>Every number is within a relative error, counted from a scale below which errors are absolute.</summary>
    public static void Close(double[] expected, float[] actual, double error, double scale = 1)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var allowed = error * Math.Max(scale, Math.Abs(expected[i]));
            Assert.True(Math.Abs(expected[i] - actual[i]) <= allowed, $"[{i}] is {actual[i]:R}, expected {expected[i]:R}");
        }
    }

    /// <summary>A gradient is that of the loss, by central differences.</summary>
    public static void IsGradient(Func<double[], double> loss, double[] at, double[] gradient)
    {
        const double h = 1e-5;
        for (var i = 0; i < at.Length; i++)
        {
            var before = at[i];
            at[i] = before + h;
            var above = loss(at);
            at[i] = before - h;
            var below = loss(at);
            at[i] = before;
            var slope = (above - below) / (2 * h);
            Assert.True(Math.Abs(slope - gradient[i]) < 1e-7 * Math.Max(1, Math.Abs(slope)), $"[{i}] is {gradient[i]}, slope {slope}");
        }
    }

    /// <summary>Sum of x[i] * weight[i]: a loss whose gradient with respect to x is the weight.</summary>
    public static double Dot(double[] x, double[] weight)
    {
        var sum = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            sum += x[i] * weight[i];
        }

        return sum;
    }
}
