namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twin of <see cref="Kernels.LayerNorm"/>.</summary>
public static class ReferenceLayerNorm
{
    /// <summary>y = (x - mean) / sqrt(variance + epsilon) * gain + bias for every row of (rows, width).</summary>
    public static void Forward(
        int rows, int width, ReadOnlySpan<double> x, ReadOnlySpan<double> gain, ReadOnlySpan<double> bias, double epsilon,
        Span<double> y, Span<double> mean, Span<double> rstd)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = x.Slice(r * width, width);
            var sum = 0.0;
            foreach (var number in row)
            {
                sum += number;
            }

            mean[r] = sum / width;
            var squares = 0.0;
            foreach (var number in row)
            {
                squares += (number - mean[r]) * (number - mean[r]);
            }

            rstd[r] = 1 / Math.Sqrt(squares / width + epsilon);
            for (var c = 0; c < width; c++)
            {
                y[r * width + c] = (row[c] - mean[r]) * rstd[r] * gain[c] + bias[c];
            }
        }
    }

    /// <summary>Gradient of the input, added to what dx (rows, width) holds.</summary>
    public static void BackwardInput(
        int rows, int width, ReadOnlySpan<double> dy, ReadOnlySpan<double> x, ReadOnlySpan<double> gain, ReadOnlySpan<double> mean,
        ReadOnlySpan<double> rstd, Span<double> dx)
    {
        for (var r = 0; r < rows; r++)
        {
            var (sum, sumWithInput) = (0.0, 0.0);
            for (var c = 0; c < width; c++)
            {
                var g = dy[r * width + c] * gain[c];
                sum += g;
                sumWithInput += g * (x[r * width + c] - mean[r]) * rstd[r];
            }

            for (var c = 0; c < width; c++)
            {
                var normal = (x[r * width + c] - mean[r]) * rstd[r];
                dx[r * width + c] += rstd[r] * (dy[r * width + c] * gain[c] - sum / width - normal * sumWithInput / width);
            }
        }
    }

    /// <summary>Gradients of gain and bias, each (width), overwritten.</summary>
    public static void BackwardParameters(
        int rows, int width, ReadOnlySpan<double> dy, ReadOnlySpan<double> x, ReadOnlySpan<double> mean, ReadOnlySpan<double> rstd,
        Span<double> dGain, Span<double> dBias)
    {
        for (var c = 0; c < width; c++)
        {
            (dGain[c], dBias[c]) = (0, 0);
            for (var r = 0; r < rows; r++)
            {
                dGain[c] += dy[r * width + c] * (x[r * width + c] - mean[r]) * rstd[r];
                dBias[c] += dy[r * width + c];
            }
        }
    }
}
