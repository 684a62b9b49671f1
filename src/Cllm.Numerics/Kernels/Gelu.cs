using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>
/// GELU in its tanh form (Hendrycks and Gimpel 2016): y = x/2 * (1 + tanh(u)), u = sqrt(2/pi) * (x + 0.044715 x^3).
/// </summary>
/// <remarks>
/// Computed as x / (1 + exp(-2u)), which is the same function with one exponential and, unlike 1 + tanh(u), loses no digits where x is
/// very negative.
/// </remarks>
public static class Gelu
{
    /// <summary>y[i] = gelu(x[i]).</summary>
    /// <param name="x">Any numbers; minus infinity gives NaN.</param>
    /// <param name="y">At least as long as x; may be x.</param>
    public static void Forward(ReadOnlySpan<float> x, Span<float> y) => Elementwise.Map(default(ForwardOperator), x, y);

    /// <summary>dx[i] = dy[i] * gelu'(x[i]).</summary>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="dy">As long as x.</param>
    /// <param name="dx">As long as x; may be dy or x.</param>
    public static void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx) =>
        Elementwise.Map(default(BackwardOperator), x, dy, dx);

    private const float TwiceRoot = 1.5957691216f; // 2 sqrt(2 / pi)
    private const float TwiceRootCubic = 0.0713548162726f; // 2 sqrt(2 / pi) * 0.044715

    private readonly struct ForwardOperator : IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Invoke(Vector512<float> x)
        {
            var minusTwoU = x * Vector512.FusedMultiplyAdd(x * x, Vector512.Create(-TwiceRootCubic), Vector512.Create(-TwiceRoot));
            return x / (Vector512<float>.One + VectorMath.Exp(minusTwoU));
        }
    }

    private readonly struct BackwardOperator : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Invoke(Vector512<float> x, Vector512<float> dy)
        {
            var one = Vector512<float>.One;
            var square = x * x;
            var twoU = x * Vector512.FusedMultiplyAdd(square, Vector512.Create(TwiceRootCubic), Vector512.Create(TwiceRoot));
            var slope = Vector512.FusedMultiplyAdd(square, Vector512.Create(3 * TwiceRootCubic), Vector512.Create(TwiceRoot));

            // e <= 1 on both sides of zero, so s (1 - s) = e / (1 + e)^2 neither overflows nor cancels.
            var e = VectorMath.Exp(-Vector512.Abs(twoU));
            var share = one / (one + e);
            var s = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(x, Vector512<float>.Zero), share, e * share);
            var bend = x * slope * (e * share * share);
            bend = Vector512.ConditionalSelect(Vector512.Equals(e, Vector512<float>.Zero), Vector512<float>.Zero, bend);
            return dy * (s + bend);
        }
    }
}
