using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Cllm.Numerics.Kernels;

/// <summary>The register tile: up to 6 rows of up to 4 vectors of C, all sums in registers while k runs.</summary>
/// <remarks>
/// Every output element has one accumulator to which its terms are added by fused multiply-add in ascending k. Vectors run across
/// columns, so neither the width of a vector nor the shape of a tile changes a bit.
/// Per k a full tile does 24 multiply-adds on 4 loads and 6 broadcasts. The sums are locals by name because the JIT keeps those, and
/// only those, in registers; the conditions are constants and leave no code.
/// </remarks>
internal static unsafe class MatMulTile<TLanes, TVector>
    where TLanes : IMatMulLanes<TVector>
    where TVector : struct
{
    /// <summary>Rows of a full tile.</summary>
    public const int Rows = MatMulScratch.TileRows;

    /// <summary>c = start + a·b for one tile.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TVectors>(float* a, float* b, float* start, float* c, in MatMulStrides strides, in MatMulAhead ahead)
        where TRows : ICount
        where TVectors : ICount
    {
        nint startRow = strides.StartRow;
        TVector c00 = default, c01 = default, c02 = default, c03 = default;
        TVector c10 = default, c11 = default, c12 = default, c13 = default;
        TVector c20 = default, c21 = default, c22 = default, c23 = default;
        TVector c30 = default, c31 = default, c32 = default, c33 = default;
        TVector c40 = default, c41 = default, c42 = default, c43 = default;
        TVector c50 = default, c51 = default, c52 = default, c53 = default;

        LoadRow<TVectors>(start, ref c00, ref c01, ref c02, ref c03);

        if (TRows.Value > 1)
        {
            start += startRow;
            LoadRow<TVectors>(start, ref c10, ref c11, ref c12, ref c13);
        }

        if (TRows.Value > 2)
        {
            start += startRow;
            LoadRow<TVectors>(start, ref c20, ref c21, ref c22, ref c23);
        }

        if (TRows.Value > 3)
        {
            start += startRow;
            LoadRow<TVectors>(start, ref c30, ref c31, ref c32, ref c33);
        }

        if (TRows.Value > 4)
        {
            start += startRow;
            LoadRow<TVectors>(start, ref c40, ref c41, ref c42, ref c43);
        }

        if (TRows.Value > 5)
        {
            start += startRow;
            LoadRow<TVectors>(start, ref c50, ref c51, ref c52, ref c53);
        }

        nint a1 = strides.ARow, a2 = 2 * a1, a3 = 3 * a1, a4 = 4 * a1, a5 = 5 * a1;
        nint aStep = strides.AStep;
        nint bStep = strides.BStep;
        nint lineStep = ahead.Step, lineJump = ahead.Jump, run = ahead.Run;
        byte* line = (byte*)ahead.First;
        if (lineStep == 0)
        {
            (lineStep, lineJump, run) = (strides.Output.Step, strides.Output.Jump, strides.Output.Run);
            line = (byte*)(lineStep == 0 ? b : c);
        }

        nint left = run;
        for (nint k = strides.K; k > 0; k--)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch1(line);
                line += lineStep;
                if (--left == 0)
                {
                    line += lineJump;
                    left = run;
                }
            }

            TVector b0 = default, b1 = default, b2 = default, b3 = default;
            LoadRow<TVectors>(b, ref b0, ref b1, ref b2, ref b3);

            AddRow<TVectors>(a, b0, b1, b2, b3, ref c00, ref c01, ref c02, ref c03);

            if (TRows.Value > 1)
            {
                AddRow<TVectors>(a + a1, b0, b1, b2, b3, ref c10, ref c11, ref c12, ref c13);
            }

            if (TRows.Value > 2)
            {
                AddRow<TVectors>(a + a2, b0, b1, b2, b3, ref c20, ref c21, ref c22, ref c23);
            }

            if (TRows.Value > 3)
            {
                AddRow<TVectors>(a + a3, b0, b1, b2, b3, ref c30, ref c31, ref c32, ref c33);
            }

            if (TRows.Value > 4)
            {
                AddRow<TVectors>(a + a4, b0, b1, b2, b3, ref c40, ref c41, ref c42, ref c43);
            }

            if (TRows.Value > 5)
            {
                AddRow<TVectors>(a + a5, b0, b1, b2, b3, ref c50, ref c51, ref c52, ref c53);
            }

            a += aStep;
            b += bStep;
        }

        nint cRow = strides.CRow;
        bool streams = strides.Streams;
        StoreRow<TVectors>(streams, c, c00, c01, c02, c03);

        if (TRows.Value > 1)
        {
            c += cRow;
            StoreRow<TVectors>(streams, c, c10, c11, c12, c13);
        }

        if (TRows.Value > 2)
        {
            c += cRow;
            StoreRow<TVectors>(streams, c, c20, c21, c22, c23);
        }

        if (TRows.Value > 3)
        {
            c += cRow;
            StoreRow<TVectors>(streams, c, c30, c31, c32, c33);
        }

        if (TRows.Value > 4)
        {
            c += cRow;
            StoreRow<TVectors>(streams, c, c40, c41, c42, c43);
        }

        if (TRows.Value > 5)
        {
            c += cRow;
            StoreRow<TVectors>(streams, c, c50, c51, c52, c53);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadRow<TVectors>(float* source, ref TVector v0, ref TVector v1, ref TVector v2, ref TVector v3)
        where TVectors : ICount
    {
        v0 = TLanes.Load(source);
        if (TVectors.Value > 1)
        {
            v1 = TLanes.Load(source + TLanes.Lanes);
        }

        if (TVectors.Value > 2)
        {
            v2 = TLanes.Load(source + (2 * TLanes.Lanes));
        }

        if (TVectors.Value > 3)
        {
            v3 = TLanes.Load(source + (3 * TLanes.Lanes));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow<TVectors>(
        float* source, TVector b0, TVector b1, TVector b2, TVector b3, ref TVector v0, ref TVector v1, ref TVector v2, ref TVector v3)
        where TVectors : ICount
    {
        TVector a = TLanes.Broadcast(source);
        v0 = TLanes.MultiplyAdd(a, b0, v0);
        if (TVectors.Value > 1)
        {
            v1 = TLanes.MultiplyAdd(a, b1, v1);
        }

        if (TVectors.Value > 2)
        {
            v2 = TLanes.MultiplyAdd(a, b2, v2);
        }

        if (TVectors.Value > 3)
        {
            v3 = TLanes.MultiplyAdd(a, b3, v3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TVectors>(bool streams, float* destination, TVector v0, TVector v1, TVector v2, TVector v3)
        where TVectors : ICount
    {
        if (streams)
        {
            StoreRowPast<TVectors>(destination, v0, v1, v2, v3);
            return;
        }

        TLanes.Store(v0, destination);
        if (TVectors.Value > 1)
        {
            TLanes.Store(v1, destination + TLanes.Lanes);
        }

        if (TVectors.Value > 2)
        {
            TLanes.Store(v2, destination + (2 * TLanes.Lanes));
        }

        if (TVectors.Value > 3)
        {
            TLanes.Store(v3, destination + (3 * TLanes.Lanes));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRowPast<TVectors>(float* destination, TVector v0, TVector v1, TVector v2, TVector v3)
        where TVectors : ICount
    {
        TLanes.StorePast(v0, destination);
        if (TVectors.Value > 1)
        {
            TLanes.StorePast(v1, destination + TLanes.Lanes);
        }

        if (TVectors.Value > 2)
        {
            TLanes.StorePast(v2, destination + (2 * TLanes.Lanes));
        }

        if (TVectors.Value > 3)
        {
            TLanes.StorePast(v3, destination + (3 * TLanes.Lanes));
        }
    }
}
