using System.Runtime.Intrinsics;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Random;

namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twin of <see cref="Dropout"/>: one column at a time, one Philox block for each.</summary>
public static class ReferenceDropout
{
    /// <summary>Whether the number at (position, column) is kept.</summary>
    public static bool Keeps(in DropoutStream stream, ulong position, int column)
    {
        var (block, word, lane) = (column / 32, column % 32 / 8, column % 8);
        var counter = Vector128.Create((uint)(block * 8 + lane), (uint)position, (uint)(position >> 32), stream.Site);
        return Philox4x32.Block(counter, stream.Key)[word] >= stream.Threshold;
    }

    /// <summary>x[r, c] = kept ? x[r, c] / (1 - rate) : 0, in place, rows <paramref name="stride"/> apart.</summary>
    public static void Apply(Span<double> x, int rows, int columns, int stride, ulong firstPosition, in DropoutStream stream)
    {
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
            {
                var kept = Keeps(stream, firstPosition + (ulong)r, c);
                x[r * stride + c] = kept ? x[r * stride + c] / (1 - (double)stream.Rate) : 0;
            }
        }
    }
}
