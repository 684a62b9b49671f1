using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Cllm.Numerics.Random;

namespace Cllm.Numerics.Kernels;

/// <summary>Inverted dropout with masks that are never stored: they are computed again where they are needed.</summary>
/// <remarks>
/// Counter words: 0 the column's block and lane, 1 and 2 the position (low, high), 3 the site; the key is that of the step. Eight
/// counters serve 32 columns: column 32 b + 8 w + l has word w of counter 8 b + l, so results need no rearranging.
/// </remarks>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class Dropout
{
    /// <summary>Columns per block of random words; <c>firstColumn</c> is a multiple of it.</summary>
    public const int ColumnBlock = 32;

    /// <summary>x[r, c] = kept ? x[r, c] / (1 - rate) : 0, in place; the same call on the gradient is the backward pass.</summary>
    /// <param name="x">(rows, columns), rows <paramref name="stride"/> apart.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Numbers per row that are touched.</param>
    /// <param name="stride">Distance between the starts of rows.</param>
    /// <param name="firstPosition">Position of row 0; row r has position firstPosition + r.</param>
    /// <param name="stream">Seed, step, site and rate; at rate 0 nothing happens.</param>
    public static void Apply(Span<float> x, int rows, int columns, int stride, ulong firstPosition, in DropoutStream stream) =>
        Apply(x, rows, columns, stride, firstPosition, 0, stream);

    /// <summary>The same for a block of columns: x[r, c] has the mask of (firstPosition + r, firstColumn + c).</summary>
    /// <param name="x">(rows, columns), rows <paramref name="stride"/> apart.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Numbers per row that are touched.</param>
    /// <param name="stride">Distance between the starts of rows.</param>
    /// <param name="firstPosition">Position of row 0.</param>
    /// <param name="firstColumn">Column of x[., 0]; a multiple of <see cref="ColumnBlock"/>.</param>
    /// <param name="stream">Seed, step, site and rate.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1), or the first column is no multiple of 32.</exception>
    public static void Apply(
        Span<float> x, int rows, int columns, int stride, ulong firstPosition, int firstColumn, in DropoutStream stream)
    {
        if (!(stream.Rate >= 0 && stream.Rate < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(stream), stream.Rate, "The dropout rate must be at least 0 and below 1.");
        }

        if (firstColumn < 0 || firstColumn % ColumnBlock != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(firstColumn), firstColumn, "The first column must be a multiple of 32.");
        }

        if (stream.Rate == 0)
        {
            return;
        }

        for (var r = 0; r < rows; r++)
        {
            ApplyRow(x.Slice(r * stride, columns), firstPosition + (ulong)r, (uint)firstColumn, stream);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void ApplyRow(Span<float> x, ulong position, uint firstColumn, in DropoutStream stream)
    {
        ref var row = ref MemoryMarshal.GetReference(x);
        var key = stream.Key;
        var threshold = Vector512.Create(stream.Threshold);
        var scale = Vector512.Create(stream.KeepScale);
        var counter = Vector512.Create((ulong)firstColumn / 4) + Vector512.Create(0ul, 1, 2, 3, 4, 5, 6, 7);
        for (var i = 0; i < x.Length; i += ColumnBlock)
        {
            var c0 = counter;
            var c1 = Vector512.Create((ulong)(uint)position);
            var c2 = Vector512.Create(position >> 32);
            var c3 = Vector512.Create((ulong)stream.Site);
            Philox4x32.Blocks(ref c0, ref c1, ref c2, ref c3, key);
            Mask(ref row, i, x.Length, Vector512.GreaterThanOrEqual(Vector512.Narrow(c0, c1), threshold), scale);
            Mask(ref row, i + Lanes.Count, x.Length, Vector512.GreaterThanOrEqual(Vector512.Narrow(c2, c3), threshold), scale);
            counter += Vector512.Create(8ul);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mask(ref float row, int i, int length, Vector512<uint> kept, Vector512<float> scale)
    {
        if (i + Lanes.Count <= length)
        {
            var x = Vector512.LoadUnsafe(ref row, (nuint)i) * scale;
            Vector512.ConditionalSelect(kept.AsSingle(), x, Vector512<float>.Zero).StoreUnsafe(ref row, (nuint)i);
        }
        else if (i < length)
        {
            ref var last = ref Unsafe.Add(ref row, i);
            var x = Lanes.LoadFirst(ref last, length - i) * scale;
            Lanes.StoreFirst(Vector512.ConditionalSelect(kept.AsSingle(), x, Vector512<float>.Zero), ref last, length - i);
        }
    }
}
