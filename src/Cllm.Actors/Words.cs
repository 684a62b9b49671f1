using System.Runtime.InteropServices;
using Cllm.Model.Compute;
using Cllm.Protocol;

namespace Cllm.Actors;

/// <summary>Numbers as the words of a payload, bit for bit: the protocol carries them and knows no floating point.</summary>
internal static class Words
{
    private const int ScalarWords = 4;

    /// <summary>A payload of one word per number.</summary>
    public static Payload Of(ReadOnlySpan<double> numbers) => Payload.Of(MemoryMarshal.Cast<double, long>(numbers));

    /// <summary>The payload's numbers.</summary>
    public static ReadOnlySpan<double> Numbers(Payload payload) => MemoryMarshal.Cast<long, double>(payload.Words);

    /// <summary>A payload of a step's scalars.</summary>
    public static Payload Of(in StepScalars scalars) => Payload.Of(
    [
        BitConverter.DoubleToInt64Bits(scalars.Loss),
        BitConverter.DoubleToInt64Bits(scalars.GradientNorm),
        BitConverter.DoubleToInt64Bits(scalars.LearningRate),
        BitConverter.SingleToInt32Bits(scalars.ClipScale),
    ]);

    /// <summary>The step's scalars in a payload.</summary>
    public static StepScalars Scalars(Payload payload)
    {
        var words = payload.Words;
        Invariant.Holds(words.Length == ScalarWords, $"a step has {ScalarWords} scalars, not {words.Length}");
        return new(
            BitConverter.Int64BitsToDouble(words[0]),
            BitConverter.Int64BitsToDouble(words[1]),
            BitConverter.Int64BitsToDouble(words[2]),
            BitConverter.Int32BitsToSingle((int)words[3]));
    }
}
