using System.Runtime.Intrinsics;
using Cllm.Numerics.Random;

namespace Cllm.Numerics.Reference;

/// <summary>The double-precision twin of <see cref="Philox.Normal"/> over the platform's mathematical library.</summary>
public static class ReferenceNormal
{
    /// <summary>Number <paramref name="index"/> of what <see cref="Philox.Normal"/> writes.</summary>
    public static double At(int index, ulong seed, uint stream, double standardDeviation)
    {
        var (block, half, isSine, lane) = (index / 32, index % 32 / 16, index % 16 / 8 == 1, index % 8);
        var words = Philox4x32.Block(Vector128.Create((uint)(block * 8 + lane), 0, stream, 1), seed);
        var radius = Math.Sqrt(-2 * Math.Log((words[2 * half] + 0.5) / 4294967296.0)) * standardDeviation;
        var angle = 2 * Math.PI * (words[2 * half + 1] / 4294967296.0);
        return radius * (isSine ? Math.Sin(angle) : Math.Cos(angle));
    }
}
