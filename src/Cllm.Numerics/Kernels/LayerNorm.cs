using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>
/// Layer normalisation over rows of (rows, width), Ba, Kiros and Hinton 2016: y = (x - mean) / sqrt(variance + epsilon) * gain + bias.
/// </summary>
/// <remarks>Two passes for the variance, so a large mean costs no digits. Rows are independent; callers split them over threads.</remarks>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class LayerNorm
{
    /// <summary>Normalises every row and remembers its mean and reciprocal standard deviation for the backward pass.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Numbers per row.</param>
    /// <param name="x">(rows, width).</param>
    /// <param name="gain">(width).</param>
    /// <param name="bias">(width).</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">(rows, width); may be x.</param>
    /// <param name="mean">(rows).</param>
    /// <param name="rstd">(rows), 1 / sqrt(variance + epsilon).</param>
    public static void Forward(
        int rows, int width, ReadOnlySpan<float> x, ReadOnlySpan<float> gain, ReadOnlySpan<float> bias, float epsilon,
        Span<float> y, Span<float> mean, Span<float> rstd)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = x.Slice(r * width, width);
            mean[r] = Sum(row) / width;
            rstd[r] = 1f / MathF.Sqrt(SumOfSquares(row, mean[r]) / width + epsilon);
            Normalise(row, mean[r], rstd[r], gain, bias, y.Slice(r * width, width));
        }
    }

    /// <summary>dx = rstd * (g - mean(g) - xhat * mean(g * xhat)) with g = dy * gain and xhat = (x - mean) * rstd.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Numbers per row.</param>
    /// <param name="dy">(rows, width).</param>
    /// <param name="x">(rows, width), the input of the forward pass.</param>
    /// <param name="gain">(width).</param>
    /// <param name="mean">(rows), from the forward pass.</param>
    /// <param name="rstd">(rows), from the forward pass.</param>
    /// <param name="accumulate">Whether the gradient is added to what dx holds, or replaces it.</param>
    /// <param name="dx">(rows, width); may be dy when it is not accumulated.</param>
    public static void BackwardInput(
        int rows, int width, ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> gain, ReadOnlySpan<float> mean,
        ReadOnlySpan<float> rstd, bool accumulate, Span<float> dx)
    {
        for (var r = 0; r < rows; r++)
        {
            var dyRow = dy.Slice(r * width, width);
            var xRow = x.Slice(r * width, width);
            var (sum, sumWithInput) = BackwardSums(dyRow, xRow, gain, mean[r], rstd[r]);
            BackwardRow(
                dyRow, xRow, gain, mean[r], rstd[r], sum / width, sumWithInput / width, accumulate, dx.Slice(r * width, width));
        }
    }

    /// <summary>dGain[c] = sum over rows of dy * xhat and dBias[c] = sum over rows of dy, rows in order, for a range of columns.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Numbers per row.</param>
    /// <param name="firstColumn">First column computed.</param>
    /// <param name="columns">Number of columns computed; the others are left alone.</param>
    /// <param name="dy">(rows, width).</param>
    /// <param name="x">(rows, width), the input of the forward pass.</param>
    /// <param name="mean">(rows), from the forward pass.</param>
    /// <param name="rstd">(rows), from the forward pass.</param>
    /// <param name="dGain">(width); overwritten in the range.</param>
    /// <param name="dBias">(width); overwritten in the range.</param>
    public static void BackwardParameters(
        int rows, int width, int firstColumn, int columns, ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> mean,
        ReadOnlySpan<float> rstd, Span<float> dGain, Span<float> dBias)
    {
        var gain = dGain.Slice(firstColumn, columns);
        var bias = dBias.Slice(firstColumn, columns);
        gain.Clear();
        bias.Clear();
        for (var r = 0; r < rows; r++)
        {
            var start = r * width + firstColumn;
            AddParameters(dy.Slice(start, columns), x.Slice(start, columns), mean[r], rstd[r], gain, bias);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Sum(ReadOnlySpan<float> x)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            sum += Vector512.LoadUnsafe(ref from, (nuint)i);
        }

        if (i < x.Length)
        {
            sum += Lanes.LoadFirst(ref Unsafe.Add(ref from, i), x.Length - i);
        }

        return Lanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float SumOfSquares(ReadOnlySpan<float> x, float mean)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        var means = Vector512.Create(mean);
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            var d = Vector512.LoadUnsafe(ref from, (nuint)i) - means;
            sum = Vector512.FusedMultiplyAdd(d, d, sum);
        }

        if (i < x.Length)
        {
            var d = Lanes.LoadFirst(ref Unsafe.Add(ref from, i), x.Length - i, padding: mean) - means;
            sum = Vector512.FusedMultiplyAdd(d, d, sum);
        }

        return Lanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(
        ReadOnlySpan<float> x, float mean, float rstd, ReadOnlySpan<float> gain, ReadOnlySpan<float> bias, Span<float> y)
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        ref var gains = ref MemoryMarshal.GetReference(gain[..x.Length]);
        ref var biases = ref MemoryMarshal.GetReference(bias[..x.Length]);
        ref var to = ref MemoryMarshal.GetReference(y[..x.Length]);
        var (means, scale) = (Vector512.Create(mean), Vector512.Create(rstd));
        var i = 0;
        for (; i <= x.Length - Lanes.Count; i += Lanes.Count)
        {
            var normal = (Vector512.LoadUnsafe(ref from, (nuint)i) - means) * scale;
            Vector512.FusedMultiplyAdd(normal, Vector512.LoadUnsafe(ref gains, (nuint)i), Vector512.LoadUnsafe(ref biases, (nuint)i))
                .StoreUnsafe(ref to, (nuint)i);
        }

        if (i < x.Length)
        {
            var left = x.Length - i;
            var normal = (Lanes.LoadFirst(ref Unsafe.Add(ref from, i), left) - means) * scale;
            var last = Vector512.FusedMultiplyAdd(
                normal, Lanes.LoadFirst(ref Unsafe.Add(ref gains, i), left), Lanes.LoadFirst(ref Unsafe.Add(ref biases, i), left));
            Lanes.StoreFirst(last, ref Unsafe.Add(ref to, i), left);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static (float Sum, float SumWithInput) BackwardSums(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> gain, float mean, float rstd)
    {
        ref var gradients = ref MemoryMarshal.GetReference(dy);
        ref var inputs = ref MemoryMarshal.GetReference(x[..dy.Length]);
        ref var gains = ref MemoryMarshal.GetReference(gain[..dy.Length]);
        var (means, scale) = (Vector512.Create(mean), Vector512.Create(rstd));
        var (sum, sumWithInput) = (Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i <= dy.Length - Lanes.Count; i += Lanes.Count)
        {
            var g = Vector512.LoadUnsafe(ref gradients, (nuint)i) * Vector512.LoadUnsafe(ref gains, (nuint)i);
            sum += g;
            var normal = (Vector512.LoadUnsafe(ref inputs, (nuint)i) - means) * scale;
            sumWithInput = Vector512.FusedMultiplyAdd(g, normal, sumWithInput);
        }

        if (i < dy.Length)
        {
            var left = dy.Length - i;
            var g = Lanes.LoadFirst(ref Unsafe.Add(ref gradients, i), left) * Lanes.LoadFirst(ref Unsafe.Add(ref gains, i), left);
            sum += g;
            var normal = (Lanes.LoadFirst(ref Unsafe.Add(ref inputs, i), left, padding: mean) - means) * scale;
            sumWithInput = Vector512.FusedMultiplyAdd(g, normal, sumWithInput);
        }

        return (Lanes.Sum(sum), Lanes.Sum(sumWithInput));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRow(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> gain, float mean, float rstd, float meanGradient,
        float meanWithInput, bool accumulate, Span<float> dx)
    {
        ref var gradients = ref MemoryMarshal.GetReference(dy);
        ref var inputs = ref MemoryMarshal.GetReference(x[..dy.Length]);
        ref var gains = ref MemoryMarshal.GetReference(gain[..dy.Length]);
        ref var to = ref MemoryMarshal.GetReference(dx[..dy.Length]);
        var (means, scale) = (Vector512.Create(mean), Vector512.Create(rstd));
        var (shift, slope) = (Vector512.Create(meanGradient), Vector512.Create(-meanWithInput));
        var i = 0;
        for (; i <= dy.Length - Lanes.Count; i += Lanes.Count)
        {
            var g = Vector512.LoadUnsafe(ref gradients, (nuint)i) * Vector512.LoadUnsafe(ref gains, (nuint)i);
            var normal = (Vector512.LoadUnsafe(ref inputs, (nuint)i) - means) * scale;
            var before = accumulate ? Vector512.LoadUnsafe(ref to, (nuint)i) : Vector512<float>.Zero;
            var d = Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(normal, slope, g - shift), scale, before);
            d.StoreUnsafe(ref to, (nuint)i);
        }

        if (i < dy.Length)
        {
            var left = dy.Length - i;
            var g = Lanes.LoadFirst(ref Unsafe.Add(ref gradients, i), left) * Lanes.LoadFirst(ref Unsafe.Add(ref gains, i), left);
            var normal = (Lanes.LoadFirst(ref Unsafe.Add(ref inputs, i), left) - means) * scale;
            var before = accumulate ? Lanes.LoadFirst(ref Unsafe.Add(ref to, i), left) : Vector512<float>.Zero;
            var d = Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(normal, slope, g - shift), scale, before);
            Lanes.StoreFirst(d, ref Unsafe.Add(ref to, i), left);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddParameters(
        ReadOnlySpan<float> dy, ReadOnlySpan<float> x, float mean, float rstd, Span<float> dGain, Span<float> dBias)
    {
        ref var gradients = ref MemoryMarshal.GetReference(dy);
        ref var inputs = ref MemoryMarshal.GetReference(x[..dy.Length]);
        ref var gains = ref MemoryMarshal.GetReference(dGain[..dy.Length]);
        ref var biases = ref MemoryMarshal.GetReference(dBias[..dy.Length]);
        var (means, scale) = (Vector512.Create(mean), Vector512.Create(rstd));
        var i = 0;
        for (; i <= dy.Length - Lanes.Count; i += Lanes.Count)
        {
            var g = Vector512.LoadUnsafe(ref gradients, (nuint)i);
            var normal = (Vector512.LoadUnsafe(ref inputs, (nuint)i) - means) * scale;
            Vector512.FusedMultiplyAdd(g, normal, Vector512.LoadUnsafe(ref gains, (nuint)i)).StoreUnsafe(ref gains, (nuint)i);
            (Vector512.LoadUnsafe(ref biases, (nuint)i) + g).StoreUnsafe(ref biases, (nuint)i);
        }

        if (i < dy.Length)
        {
            var left = dy.Length - i;
            ref var lastGain = ref Unsafe.Add(ref gains, i);
            ref var lastBias = ref Unsafe.Add(ref biases, i);
            var g = Lanes.LoadFirst(ref Unsafe.Add(ref gradients, i), left);
            var normal = (Lanes.LoadFirst(ref Unsafe.Add(ref inputs, i), left) - means) * scale;
            Lanes.StoreFirst(Vector512.FusedMultiplyAdd(g, normal, Lanes.LoadFirst(ref lastGain, left)), ref lastGain, left);
            Lanes.StoreFirst(Lanes.LoadFirst(ref lastBias, left) + g, ref lastBias, left);
        }
    }
}
