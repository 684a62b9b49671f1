using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>The rows between attention's products: causal softmax, its recomputation and its gradient, on 16 lanes.</summary>
/// <remarks>
/// Rows lie in memory of whole vectors. Entries from <c>count</c> on (keys after the query) are junk going in and 0 coming out;
/// as terms of a sum they change nothing.
/// </remarks>
internal static unsafe class AttentionSoftmax
{
    /// <summary>
    /// Replaces scores by probabilities: softmax(scale · score), in row i over the first <paramref name="count"/> + i keys.
    /// </summary>
    /// <remarks>
    /// Largest scores of all rows, then exponentials of all, then quotients of all: within a pass no row waits for another, and the chain
    /// from a row's scores to its probabilities is long.
    /// </remarks>
    /// <param name="rows">The block's scores.</param>
    /// <param name="stride">Floats from a row to the next.</param>
    /// <param name="queries">Rows.</param>
    /// <param name="count">Keys of the first row.</param>
    /// <param name="padded">Floats of a row that are written.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="sums">Gets the sum of exp(scale · score - largest) of each row.</param>
    /// <param name="largest">Gets the largest of scale · score of each row.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Forward(float* rows, nint stride, int queries, int count, int padded, float scale, float* sums, float* largest)
    {
        for (int i = 0; i < queries; i++)
        {
            largest[i] = Largest(rows + (i * stride), count + i) * scale;
        }

        Exponentials(rows, stride, queries, count, padded, scale, largest, sums);
        for (int i = 0; i < queries; i++)
        {
            float* row = rows + (i * stride);
            var factor = Vector512.Create(1f / sums[i]);
            for (int j = 0; j < count + i; j += Lanes.Count)
            {
                (Vector512.Load(row + j) * factor).Store(row + j);
            }
        }
    }

    /// <summary>Replaces sums by largest + log(sum).</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void LogSums(float* sums, float* largest, int count)
    {
        int i = 0;
        for (; i <= count - Lanes.Count; i += Lanes.Count)
        {
            (VectorMath.Log(Vector512.Load(sums + i)) + Vector512.Load(largest + i)).Store(sums + i);
        }

        if (i < count)
        {
            var last = VectorMath.Log(Lanes.LoadFirst(ref sums[i], count - i, 1)) + Vector512.Load(largest + i);
            Lanes.StoreFirst(last, ref sums[i], count - i);
        }
    }

    /// <summary>
    /// Replaces scores by exp(scale · score - shift), in row i over the first <paramref name="count"/> + i keys, then zeros up to
    /// <paramref name="padded"/>.
    /// </summary>
    /// <param name="rows">The block's scores.</param>
    /// <param name="stride">Floats from a row to the next.</param>
    /// <param name="queries">Rows.</param>
    /// <param name="count">Keys of the first row.</param>
    /// <param name="padded">Floats of a row that are written.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="shifts">One for each row.</param>
    /// <param name="sums">Gets the sum of each row, over 16 lanes and one fold.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Exponentials(
        float* rows, nint stride, int queries, int count, int padded, float scale, float* shifts, float* sums)
    {
        var factor = Vector512.Create(scale);
        for (int i = 0; i < queries; i++)
        {
            float* row = rows + (i * stride);
            int keys = count + i;
            var addend = Vector512.Create(-shifts[i]);
            var sum = Vector512<float>.Zero;
            int j = 0;
            for (; j < keys; j += Lanes.Count)
            {
                var e = VectorMath.Exp(Vector512.FusedMultiplyAdd(Vector512.Load(row + j), factor, addend));
                e = Vector512.ConditionalSelect(Lanes.First(keys - j), e, Vector512<float>.Zero);
                e.Store(row + j);
                sum += e;
            }

            for (; j < padded; j += Lanes.Count)
            {
                Vector512<float>.Zero.Store(row + j);
            }

            sums[i] = Lanes.Sum(sum);
        }
    }

    /// <summary>Replaces the gradients of rows of dropped probabilities by those of their scores.</summary>
    /// <remarks>
    /// With P the probabilities, M the mask (0 or 1 / (1 - rate)) and D the dot product of output and its gradient:
    /// scale · P · (M · gradient - D), computed as scale · (M P · gradient - P · D), so that the mask is needed once.
    /// </remarks>
    /// <param name="probabilities">The block's probabilities.</param>
    /// <param name="dropped">The same after dropout.</param>
    /// <param name="gradients">The block's gradients.</param>
    /// <param name="stride">Floats from a row of each to the next.</param>
    /// <param name="queries">Rows.</param>
    /// <param name="padded">Floats of a row.</param>
    /// <param name="dots">D of each row.</param>
    /// <param name="scale">Factor of the scores.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Backward(
        float* probabilities, float* dropped, float* gradients, nint stride, int queries, int padded, float* dots, float scale)
    {
        var factor = Vector512.Create(scale);
        for (int i = 0; i < queries; i++)
        {
            nint at = i * stride;
            var minusDot = Vector512.Create(-dots[i]);
            for (nint end = at + padded; at < end; at += Lanes.Count)
            {
                var mean = Vector512.Load(probabilities + at) * minusDot;
                (Vector512.FusedMultiplyAdd(Vector512.Load(dropped + at), Vector512.Load(gradients + at), mean) * factor).Store(gradients + at);
            }
        }
    }

    /// <summary>Dot products of the rows of two matrices, each over 16 lanes and one fold.</summary>
    /// <param name="x">First row of one.</param>
    /// <param name="y">First row of the other.</param>
    /// <param name="stride">Floats from a row to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="count">Floats of a row.</param>
    /// <param name="dots">Gets the products.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Dots(float* x, float* y, nint stride, int rows, int count, float* dots)
    {
        for (int row = 0; row < rows; row++)
        {
            var sum = Vector512<float>.Zero;
            int i = 0;
            for (; i <= count - Lanes.Count; i += Lanes.Count)
            {
                sum = Vector512.FusedMultiplyAdd(Vector512.Load(x + i), Vector512.Load(y + i), sum);
            }

            if (i < count)
            {
                sum = Vector512.FusedMultiplyAdd(Lanes.LoadFirst(ref x[i], count - i), Lanes.LoadFirst(ref y[i], count - i), sum);
            }

            dots[row] = Lanes.Sum(sum);
            x += stride;
            y += stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(float* row, int count)
    {
        // The last vector may reach behind the keys, into memory of whole vectors; what is there does not count.
        var largest = Vector512.Create(float.NegativeInfinity);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            var scores = Vector512.ConditionalSelect(Lanes.First(count - i), Vector512.Load(row + i), Vector512.Create(float.NegativeInfinity));
            largest = VectorMath.Max(scores, largest);
        }

        return Lanes.Max(largest);
    }
}
