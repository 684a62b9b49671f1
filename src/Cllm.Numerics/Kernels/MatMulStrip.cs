using System.Runtime.CompilerServices;

namespace Cllm.Numerics.Kernels;

/// <summary>A strip of C: all its rows, as many columns as a register tile is wide. Cuts it into tiles.</summary>
/// <remarks>The strip of B stays in the second-level cache while the tiles of A pass by.</remarks>
internal static unsafe class MatMulStrip<TLanes, TVector>
    where TLanes : IMatMulLanes<TVector>
    where TVector : struct
{
    /// <summary>Columns of a full strip.</summary>
    public static int Width => TLanes.Lanes * TLanes.TileVectors;

    /// <summary>c = start + a·b for m rows and up to <see cref="Width"/> columns; B is readable in whole vectors.</summary>
    /// <param name="m">Rows.</param>
    /// <param name="columns">Columns, 1 to <see cref="Width"/>.</param>
    /// <param name="a">First element of A.</param>
    /// <param name="b">First element of this strip of B.</param>
    /// <param name="start">First starting value of this strip.</param>
    /// <param name="c">First element of this strip of C.</param>
    /// <param name="strides">Distances.</param>
    /// <param name="ahead">What is fetched meanwhile.</param>
    /// <param name="edgeTile">Memory for one tile, used when the columns end inside a vector.</param>
    public static void Run(
        int m, int columns, float* a, float* b, float* start, float* c, in MatMulStrides strides, MatMulAhead ahead, float* edgeTile)
    {
        int vectors = (columns + TLanes.Lanes - 1) / TLanes.Lanes;
        if (columns % TLanes.Lanes != 0)
        {
            RunEdge(m, columns, vectors, a, b, start, c, strides, edgeTile);
            return;
        }

        for (; m > 0; m -= MatMulTile<TLanes, TVector>.Rows)
        {
            Tile(Math.Min(m, MatMulTile<TLanes, TVector>.Rows), vectors, a, b, start, c, strides, ahead);
            if (ahead.Step != 0)
            {
                ahead = ahead.Next;
            }

            a += strides.ATile;
            start += MatMulTile<TLanes, TVector>.Rows * strides.StartRow;
            c += MatMulTile<TLanes, TVector>.Rows * strides.CRow;
        }
    }

    private static void RunEdge(
        int m, int columns, int vectors, float* a, float* b, float* start, float* c, in MatMulStrides strides, float* edgeTile)
    {
        nint width = vectors * TLanes.Lanes;
        MatMulStrides edge = strides with { StartRow = width, CRow = width, Streams = false, Output = default };
        for (; m > 0; m -= MatMulTile<TLanes, TVector>.Rows)
        {
            int rows = Math.Min(m, MatMulTile<TLanes, TVector>.Rows);
            for (int row = 0; row < rows; row++)
            {
                var from = new ReadOnlySpan<float>(start + (row * strides.StartRow), columns);
                from.CopyTo(new Span<float>(edgeTile + (row * width), columns));
            }

            Tile(rows, vectors, a, b, edgeTile, edgeTile, edge, default);
            for (int row = 0; row < rows; row++)
            {
                var from = new ReadOnlySpan<float>(edgeTile + (row * width), columns);
                from.CopyTo(new Span<float>(c + (row * strides.CRow), columns));
            }

            a += strides.ATile;
            start += MatMulTile<TLanes, TVector>.Rows * strides.StartRow;
            c += MatMulTile<TLanes, TVector>.Rows * strides.CRow;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile(int rows, int vectors, float* a, float* b, float* start, float* c, in MatMulStrides strides, in MatMulAhead ahead)
    {
        switch (vectors)
        {
            case 1: Rows<One>(rows, a, b, start, c, strides, ahead); break;
            case 2: Rows<Two>(rows, a, b, start, c, strides, ahead); break;
            case 3: Rows<Three>(rows, a, b, start, c, strides, ahead); break;
            default: Rows<Four>(rows, a, b, start, c, strides, ahead); break;
        }
    }

    private static void Rows<TVectors>(int rows, float* a, float* b, float* start, float* c, in MatMulStrides strides, in MatMulAhead ahead)
        where TVectors : ICount
    {
        switch (rows)
        {
            case 1: MatMulTile<TLanes, TVector>.Run<One, TVectors>(a, b, start, c, strides, ahead); break;
            case 2: MatMulTile<TLanes, TVector>.Run<Two, TVectors>(a, b, start, c, strides, ahead); break;
            case 3: MatMulTile<TLanes, TVector>.Run<Three, TVectors>(a, b, start, c, strides, ahead); break;
            case 4: MatMulTile<TLanes, TVector>.Run<Four, TVectors>(a, b, start, c, strides, ahead); break;
            case 5: MatMulTile<TLanes, TVector>.Run<Five, TVectors>(a, b, start, c, strides, ahead); break;
            default: MatMulTile<TLanes, TVector>.Run<Six, TVectors>(a, b, start, c, strides, ahead); break;
        }
    }
}
