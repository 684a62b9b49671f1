using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>Copies operands into the order in which tiles read them. Nothing is computed, so nothing here can change a bit.</summary>
/// <remarks>
/// Packed B is a sequence of strips; a strip is k rows of <c>stripWidth</c> floats, the last one narrower: its columns rounded up to whole
/// vectors and filled with zeros. Packed A is a sequence of panels of 6 rows: k groups of 6 floats.
/// </remarks>
internal static unsafe class MatMulPack
{
    private const int PanelRows = MatMulScratch.TileRows;
    private const int RowsAtOnce = 8;

    /// <summary>Packs k rows and n columns of B, given as (k, n).</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Columns(int n, int k, float* b, nint ldb, int stripWidth, int lanes, float* packed)
    {
        // Row by row across the strips: B is read in order, which the hardware's prefetching needs.
        for (int row = 0; row < k; row++)
        {
            float* source = b + (row * ldb);
            for (int j = 0; j < n; j += stripWidth)
            {
                int columns = Math.Min(stripWidth, n - j);
                int width = RoundUp(columns, lanes);
                CopyRow(source + j, columns, packed + (j * (nint)k) + (row * (nint)width), width);
            }
        }
    }

    /// <summary>Packs k rows and n columns of B, given transposed as (n, k).</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Transposed(int n, int k, float* b, nint ldb, int stripWidth, int lanes, float* packed)
    {
        for (int j = 0; j < n; j += stripWidth)
        {
            int columns = Math.Min(stripWidth, n - j);
            int width = RoundUp(columns, lanes);
            Transpose(columns, k, b + (j * ldb), ldb, packed, width);
            for (int row = 0; columns < width && row < k; row++)
            {
                new Span<float>(packed + (row * (nint)width) + columns, width - columns).Clear();
            }

            packed += (nint)width * k;
        }
    }

    /// <summary>Packs m rows of A, given transposed as (k, m), into panels <paramref name="panelFloats"/> apart.</summary>
    /// <param name="m">Columns to pack.</param>
    /// <param name="readable">Columns there are: at least m.</param>
    /// <param name="k">Rows of a.</param>
    /// <param name="a">(k, readable), rows <paramref name="lda"/> apart.</param>
    /// <param name="lda">Floats from a row of a to the next.</param>
    /// <param name="panelFloats">Floats from a panel to the next: at least 6k + 2.</param>
    /// <param name="packed">The panels.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Rows(int m, int readable, int k, float* a, nint lda, nint panelFloats, float* packed)
    {
        // A group is read as 8 floats, so of the last columns nothing is left to read; where it is stored as 8 too, the 2 too many are overwritten by the panel's
        // next group, or lie in the gap after it.
        int whole = Math.Max(0, Math.Min(m, readable - 2)) / PanelRows;
        int eights = Avx512F.IsSupported ? k / RowsAtOnce * RowsAtOnce : 0;
        for (int row = 0; row < eights; row += RowsAtOnce)
        {
            for (int panel = 0; panel < whole; panel++)
            {
                EightRows(a + (row * lda) + (panel * PanelRows), lda, packed + (panel * panelFloats) + (row * PanelRows));
            }
        }

        for (int row = 0; row < k; row++)
        {
            float* source = a + (row * lda);
            float* destination = packed + (row * PanelRows);
            for (int panel = row < eights ? whole : 0; panel < whole; panel++)
            {
                Vector256.Store(Vector256.Load(source + (panel * PanelRows)), destination + (panel * panelFloats));
            }

            for (int i = whole * PanelRows; i < m; i++)
            {
                destination[(i / PanelRows * panelFloats) + (i % PanelRows)] = source[i];
            }
        }
    }

    /// <summary>Packs six columns of eight rows: 48 floats one after the other, in three whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EightRows(float* a, nint lda, float* packed)
    {
        // Vectors of two rows, of which places 0 to 5 and 8 to 13 are wanted; in what is gathered from two of them, 16 is added to places of the second.
        var rows01 = Vector512.Create(Vector256.Load(a), Vector256.Load(a + lda));
        var rows23 = Vector512.Create(Vector256.Load(a + (2 * lda)), Vector256.Load(a + (3 * lda)));
        var rows45 = Vector512.Create(Vector256.Load(a + (4 * lda)), Vector256.Load(a + (5 * lda)));
        var rows67 = Vector512.Create(Vector256.Load(a + (6 * lda)), Vector256.Load(a + (7 * lda)));
        var first = Vector512.Create(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19);
        var second = Vector512.Create(4, 5, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 24, 25);
        var third = Vector512.Create(10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29);
        Avx512F.PermuteVar16x32x2(rows01, first, rows23).Store(packed);
        Avx512F.PermuteVar16x32x2(rows23, second, rows45).Store(packed + 16);
        Avx512F.PermuteVar16x32x2(rows45, third, rows67).Store(packed + 32);
    }

    /// <summary>The next multiple of a power of two.</summary>
    public static int RoundUp(int value, int multiple) => (value + multiple - 1) & -multiple;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(float* source, int columns, float* destination, int width)
    {
        int i = 0;
        for (; i <= columns - 16; i += 16)
        {
            Vector512.Store(Vector512.Load(source + i), destination + i);
        }

        for (; i < columns; i++)
        {
            destination[i] = source[i];
        }

        for (; i < width; i++)
        {
            destination[i] = 0f;
        }
    }

    /// <summary>Writes rows of k floats as columns.</summary>
    /// <param name="columns">Rows of b, columns written.</param>
    /// <param name="k">Floats of a row of b.</param>
    /// <param name="b">(columns, k), rows <paramref name="ldb"/> apart.</param>
    /// <param name="ldb">Floats from a row of b to the next.</param>
    /// <param name="packed">(k, columns), rows <paramref name="width"/> apart; what lies between them is left alone.</param>
    /// <param name="width">Floats from a row of packed to the next.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(int columns, int k, float* b, nint ldb, float* packed, nint width)
    {
        int i = 0;
        for (; Avx512F.IsSupported && i <= columns - 16; i += 16)
        {
            TransposeSixteen(k, b + (i * ldb), ldb, packed + i, width);
        }

        for (; Avx.IsSupported && i <= columns - 8; i += 8)
        {
            TransposeEight(k, b + (i * ldb), ldb, packed + i, width);
        }

        for (; i < columns; i += 4)
        {
            TransposeFour(Math.Min(columns - i, 4), k, b + (i * ldb), ldb, packed + i, width);
        }
    }

    /// <summary>Writes 16 rows of b as columns of packed, a cache line at a time.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void TransposeSixteen(int k, float* b, nint ldb, float* packed, nint width)
    {
        int row = 0;
        for (; row <= k - 4; row += 4)
        {
            // Four columns of sixteen rows: each quarter holds rows i, i + 4, i + 8, i + 12, so that transposing quarters gives whole columns.
            float* source = b + row;
            var r0 = Quarters(source, ldb);
            var r1 = Quarters(source + ldb, ldb);
            var r2 = Quarters(source + (2 * ldb), ldb);
            var r3 = Quarters(source + (3 * ldb), ldb);
            var low02 = Avx512F.UnpackLow(r0, r2);
            var high02 = Avx512F.UnpackHigh(r0, r2);
            var low13 = Avx512F.UnpackLow(r1, r3);
            var high13 = Avx512F.UnpackHigh(r1, r3);
            float* destination = packed + (row * width);
            Avx512F.UnpackLow(low02, low13).Store(destination);
            Avx512F.UnpackHigh(low02, low13).Store(destination + width);
            Avx512F.UnpackLow(high02, high13).Store(destination + (2 * width));
            Avx512F.UnpackHigh(high02, high13).Store(destination + (3 * width));
        }

        for (; row < k; row++)
        {
            for (int i = 0; i < 16; i++)
            {
                packed[(row * width) + i] = b[(i * ldb) + row];
            }
        }
    }

    /// <summary>Four floats each of four rows, every fourth one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(float* source, nint ldb)
    {
        var lower = Vector256.Create(Vector128.Load(source), Vector128.Load(source + (4 * ldb)));
        var upper = Vector256.Create(Vector128.Load(source + (8 * ldb)), Vector128.Load(source + (12 * ldb)));
        return Vector512.Create(lower, upper);
    }

    /// <summary>Writes 8 rows of b as columns of packed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void TransposeEight(int k, float* b, nint ldb, float* packed, nint width)
    {
        int row = 0;
        for (; row <= k - 4; row += 4)
        {
            // Four columns of eight rows: row i beside row i + 4, so that transposing each half leaves the halves of whole columns.
            float* lower = b + row;
            float* upper = lower + (4 * ldb);
            var r0 = Vector256.Create(Vector128.Load(lower), Vector128.Load(upper));
            var r1 = Vector256.Create(Vector128.Load(lower + ldb), Vector128.Load(upper + ldb));
            var r2 = Vector256.Create(Vector128.Load(lower + (2 * ldb)), Vector128.Load(upper + (2 * ldb)));
            var r3 = Vector256.Create(Vector128.Load(lower + (3 * ldb)), Vector128.Load(upper + (3 * ldb)));
            var low02 = Avx.UnpackLow(r0, r2);
            var high02 = Avx.UnpackHigh(r0, r2);
            var low13 = Avx.UnpackLow(r1, r3);
            var high13 = Avx.UnpackHigh(r1, r3);
            float* destination = packed + (row * width);
            Avx.UnpackLow(low02, low13).Store(destination);
            Avx.UnpackHigh(low02, low13).Store(destination + width);
            Avx.UnpackLow(high02, high13).Store(destination + (2 * width));
            Avx.UnpackHigh(high02, high13).Store(destination + (3 * width));
        }

        for (; row < k; row++)
        {
            for (int i = 0; i < 8; i++)
            {
                packed[(row * width) + i] = b[(i * ldb) + row];
            }
        }
    }

    /// <summary>Writes up to 4 rows of b as columns of packed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFour(int columns, int k, float* b, nint ldb, float* packed, nint width)
    {
        for (int row = 0; row < k; row++)
        {
            for (int i = 0; i < columns; i++)
            {
                packed[(row * width) + i] = b[(i * ldb) + row];
            }
        }
    }
}
