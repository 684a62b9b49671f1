using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cllm.Numerics.Kernels;

/// <summary>AdamW (Loshchilov and Hutter 2019) in one pass over memory: 16 bytes read, 20 where the gradient is the sum of two, and 12 written for a parameter.</summary>
[SkipLocalsInit] // The buffers for the ends of rows would be zeroed at every call.
public static class AdamW
{
    /// <summary>
    /// g = clip * gradient; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= lr * decay * w (where asked);
    /// w -= lr * (m * firstCorrection) / (sqrt(v * secondCorrection) + epsilon).
    /// </summary>
    /// <param name="weights">A slice of the parameters; updated.</param>
    /// <param name="m">First moments, as long as the weights; updated.</param>
    /// <param name="v">Second moments, as long as the weights; updated.</param>
    /// <param name="gradient">As long as the weights.</param>
    /// <param name="s">The step's scalars.</param>
    /// <param name="decay">Whether these weights decay.</param>
    public static void Update(
        Span<float> weights, Span<float> m, Span<float> v, ReadOnlySpan<float> gradient, in AdamWScalars s, bool decay) =>
        Update(weights, m, v, gradient, default, s, decay);

    /// <summary>The same with gradient = left + right: the last addition of the reduction tree, which is written nowhere.</summary>
    /// <param name="weights">A slice of the parameters; updated.</param>
    /// <param name="m">First moments, as long as the weights; updated.</param>
    /// <param name="v">Second moments, as long as the weights; updated.</param>
    /// <param name="left">As long as the weights.</param>
    /// <param name="right">As long as the weights; empty where there is nothing to add.</param>
    /// <param name="s">The step's scalars.</param>
    /// <param name="decay">Whether these weights decay.</param>
    public static void Update(
        Span<float> weights, Span<float> m, Span<float> v, ReadOnlySpan<float> left, ReadOnlySpan<float> right, in AdamWScalars s, bool decay)
    {
        if (right.IsEmpty)
        {
            Update<One>(weights, m, v, left, left, s, decay);
        }
        else
        {
            Update<Two>(weights, m, v, left, right, s, decay);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Update<TAddends>(
        Span<float> weights, Span<float> m, Span<float> v, ReadOnlySpan<float> left, ReadOnlySpan<float> right, in AdamWScalars s, bool decay)
        where TAddends : ICount
    {
        var count = weights.Length;
        ref var ws = ref MemoryMarshal.GetReference(weights);
        ref var ms = ref MemoryMarshal.GetReference(m[..count]);
        ref var vs = ref MemoryMarshal.GetReference(v[..count]);
        ref var lefts = ref MemoryMarshal.GetReference(left[..count]);
        ref var rights = ref MemoryMarshal.GetReference(right[..count]);
        var rule = new Rule(s, decay);
        var i = 0;
        for (; i <= count - Lanes.Count; i += Lanes.Count)
        {
            var w = Vector512.LoadUnsafe(ref ws, (nuint)i);
            var first = Vector512.LoadUnsafe(ref ms, (nuint)i);
            var second = Vector512.LoadUnsafe(ref vs, (nuint)i);
            var gradient = Vector512.LoadUnsafe(ref lefts, (nuint)i);
            rule.Apply(ref w, ref first, ref second, TAddends.Value > 1 ? gradient + Vector512.LoadUnsafe(ref rights, (nuint)i) : gradient);
            w.StoreUnsafe(ref ws, (nuint)i);
            first.StoreUnsafe(ref ms, (nuint)i);
            second.StoreUnsafe(ref vs, (nuint)i);
        }

        if (i < count)
        {
            var rest = count - i;
            var w = Lanes.LoadFirst(ref Unsafe.Add(ref ws, i), rest);
            var first = Lanes.LoadFirst(ref Unsafe.Add(ref ms, i), rest);
            var second = Lanes.LoadFirst(ref Unsafe.Add(ref vs, i), rest);
            var gradient = Lanes.LoadFirst(ref Unsafe.Add(ref lefts, i), rest);
            rule.Apply(ref w, ref first, ref second, TAddends.Value > 1 ? gradient + Lanes.LoadFirst(ref Unsafe.Add(ref rights, i), rest) : gradient);
            Lanes.StoreFirst(w, ref Unsafe.Add(ref ws, i), rest);
            Lanes.StoreFirst(first, ref Unsafe.Add(ref ms, i), rest);
            Lanes.StoreFirst(second, ref Unsafe.Add(ref vs, i), rest);
        }
    }

    private readonly struct Rule(in AdamWScalars s, bool decay)
    {
        private readonly float _clip = s.ClipScale;
        private readonly float _beta1 = s.Beta1;
        private readonly float _beta2 = s.Beta2;
        private readonly float _oneMinusBeta1 = 1f - s.Beta1;
        private readonly float _oneMinusBeta2 = 1f - s.Beta2;
        private readonly float _minusDecay = decay ? -(s.LearningRate * s.WeightDecay) : 0f;
        private readonly float _minusRate = -s.LearningRate;
        private readonly float _firstCorrection = s.FirstCorrection;
        private readonly float _secondCorrection = s.SecondCorrection;
        private readonly float _epsilon = s.Epsilon;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply(ref Vector512<float> w, ref Vector512<float> m, ref Vector512<float> v, Vector512<float> gradient)
        {
            var g = gradient * Vector512.Create(_clip);
            m = Vector512.FusedMultiplyAdd(Vector512.Create(_oneMinusBeta1), g, m * Vector512.Create(_beta1));
            v = Vector512.FusedMultiplyAdd(Vector512.Create(_oneMinusBeta2) * g, g, v * Vector512.Create(_beta2));
            var step = m * Vector512.Create(_firstCorrection)
                / (Vector512.Sqrt(v * Vector512.Create(_secondCorrection)) + Vector512.Create(_epsilon));
            w = Vector512.FusedMultiplyAdd(Vector512.Create(_minusDecay), w, w);
            w = Vector512.FusedMultiplyAdd(Vector512.Create(_minusRate), step, w);
        }
    }
}
