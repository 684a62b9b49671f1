using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Generation;

/// <summary>One product of a decoder with a weight, its outputs split over a team. Set anew for each product; allocates nothing.</summary>
/// <param name="weights">The flat parameter vector.</param>
/// <param name="threads">Threads of the team.</param>
internal sealed class DecoderProduct(AlignedBuffer weights, int threads) : ITeamProgram, IDisposable
{
    /// <summary>Outputs given to one thread are a multiple of this: whole strips of a product, whole cache lines.</summary>
    private const int Multiple = 64;

    private readonly MatMulScratch[] _scratch = [.. Enumerable.Range(0, threads).Select(_ => new MatMulScratch())];
    private int _rows, _k, _n, _yFirst;
    private AlignedBuffer? _x, _y;
    private ParameterRange _weight;
    private ParameterRange? _bias;

    /// <summary>y (rows, n) = x (rows, k) · weight (k, n) + bias; without a bias, y (n) = weight (n, k) · x (k), one row.</summary>
    public void Set(
        int rows, int k, int n, AlignedBuffer x, ParameterRange weight, ParameterRange? bias, AlignedBuffer y, int yFirst)
    {
        (_rows, _k, _n, _yFirst) = (rows, k, n, yFirst);
        (_x, _y, _weight, _bias) = (x, y, weight, bias);
    }

    /// <inheritdoc/>
    public void Run(ThreadTeam team, int member)
    {
        (int first, int count) = team.Part(member, _n, Multiple);
        if (count == 0)
        {
            return;
        }

        ReadOnlySpan<float> weight = weights.Span.Slice(_weight.Offset, _weight.Length);
        ReadOnlySpan<float> x = _x!.Span;
        Span<float> y = _y!.Span[(_yFirst + first)..];
        if (_bias is not { } biases)
        {
            MatVec.NT(count, _k, x, weight[(first * _k)..], _k, y);
            return;
        }

        ReadOnlySpan<float> bias = weights.Span.Slice(biases.Offset + first, count);
        if (_rows == 1)
        {
            MatVec.NN(count, _k, x, weight[first..], _n, bias, y);
        }
        else
        {
            MatMul.NN(_rows, count, _k, x, _k, weight[first..], _n, y, _n, MatMulStart.Bias, bias, _scratch[member]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MatMulScratch scratch in _scratch)
        {
            scratch.Dispose();
        }
    }
}
