using System.Runtime.Intrinsics;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;

namespace Cllm.Tests.Numerics;

/// <summary>One head (the second of C / D) over one row of random activations, and what kernel and twin make of it.</summary>
internal sealed class AttentionHead
{
    private readonly int _start;

    public AttentionHead(int tokens, int headSize, int width, float rate)
    {
        (Tokens, HeadSize, Width) = (tokens, headSize, width);
        _start = width >= 2 * headSize ? headSize : 0;
        Dropout = new AttentionDropout(new DropoutStream(7, 3, 2, rate), 5_000_000_000);
        var random = new System.Random(tokens + (1000 * headSize));
        Qkv = Fill(random, tokens * 3 * width);
        DOutput = Fill(random, tokens * width);
        Output = new float[tokens * width];
        LogSumExp = new float[tokens];
        DQkv = new float[Qkv.Length];
    }

    public int Tokens { get; }

    public int HeadSize { get; }

    public int Width { get; }

    public AttentionDropout Dropout { get; }

    public float[] Qkv { get; }

    public float[] Output { get; }

    public float[] LogSumExp { get; }

    public float[] DOutput { get; }

    public float[] DQkv { get; }

    public void Run(AttentionScratch scratch)
    {
        Attention.Forward(Tokens, HeadSize, Width, Qkv.AsSpan(_start), Output.AsSpan(_start), LogSumExp, Dropout, scratch);
        Attention.Backward(
            Tokens, HeadSize, Width, Qkv.AsSpan(_start), Output.AsSpan(_start), LogSumExp, DOutput.AsSpan(_start), DQkv.AsSpan(_start),
            Dropout, scratch);
    }

    public void RunOn<TLanes, TVector>(AttentionScratch scratch)
        where TLanes : IMatMulLanes<TVector>
        where TVector : struct
    {
        Attention.ForwardOn<TLanes, TVector>(
            Tokens, HeadSize, Width, Qkv.AsSpan(_start), Output.AsSpan(_start), LogSumExp, Dropout, scratch);
        Attention.BackwardOn<TLanes, TVector>(
            Tokens, HeadSize, Width, Qkv.AsSpan(_start), Output.AsSpan(_start), LogSumExp, DOutput.AsSpan(_start), DQkv.AsSpan(_start),
            Dropout, scratch);
    }

    /// <summary>The mask the kernels use, read off a matrix of ones.</summary>
    public double[] Mask()
    {
        var ones = new float[Tokens * Tokens];
        ones.AsSpan().Fill(1);
        Dropout.ApplyTo(ones, Tokens, Tokens, Tokens, 0);
        return ToDouble(ones);
    }

    public double[] TwinOutput(double[] qkv)
    {
        var output = new double[Tokens * Width];
        ReferenceAttention.Forward(Tokens, HeadSize, Width, qkv.AsSpan(_start), Mask(), output.AsSpan(_start));
        return output;
    }

    public double[] TwinGradient()
    {
        var dQkv = new double[Qkv.Length];
        ReferenceAttention.Backward(
            Tokens, HeadSize, Width, ToDouble(Qkv).AsSpan(_start), Mask(), ToDouble(DOutput).AsSpan(_start), dQkv.AsSpan(_start));
        return dQkv;
    }

    /// <summary>Central difference, in the twin, of the sum of output times its gradient, with respect to one element of qkv.</summary>
    public double FiniteDifference(int element)
    {
        const double h = 1e-5;
        double[] qkv = ToDouble(Qkv);
        qkv[element] += h;
        double above = Loss(TwinOutput(qkv));
        qkv[element] -= 2 * h;
        return (above - Loss(TwinOutput(qkv))) / (2 * h);
    }

    public static double[] ToDouble(float[] values) => Array.ConvertAll(values, x => (double)x);

    private double Loss(double[] output)
    {
        double sum = 0;
        for (int i = 0; i < output.Length; i++)
        {
            sum += output[i] * DOutput[i];
        }

        return sum;
    }

    private static float[] Fill(System.Random random, int length)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = (2 * random.NextSingle()) - 1;
        }

        return values;
    }
}
