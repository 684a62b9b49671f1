using Cllm.Model.Shape;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Generation;

/// <summary>
/// A GPT that reads a sequence piece by piece and keeps keys and values of what it has read, so that each new token costs one
/// pass over the weights.
/// </summary>
public sealed class GptDecoder : IDisposable
{
    /// <summary>Most tokens worked on at once; a longer prompt is read in pieces of this size.</summary>
    private const int PieceMax = 32;

    /// <summary>Weights that are worth a thread: reading them takes long beside a hand-over.</summary>
    private const int WeightsPerThread = 4 * 1024 * 1024;

    private const float Epsilon = 1e-5f;

    private readonly GptShape _shape;
    private readonly GptTensors _tensors;
    private readonly AlignedBuffer _weights;
    private readonly ThreadTeam _team;
    private readonly DecoderProduct _product;
    private readonly List<AlignedBuffer> _owned = [];
    private readonly AlignedBuffer[] _qkv;
    private readonly AlignedBuffer _hidden, _normed, _statistics, _attended, _branch, _up, _scores, _logits;

    /// <summary>Prepares an empty sequence.</summary>
    /// <param name="layout">Layout of the weights.</param>
    /// <param name="weights">The flat parameter vector; not owned.</param>
    /// <param name="threads">Threads that share each product, the caller's included; no bit depends on it.</param>
    public GptDecoder(ParameterLayout layout, AlignedBuffer weights, int threads = 1)
    {
        _team = new ThreadTeam(threads);
        _product = new DecoderProduct(weights, threads);
        _shape = layout.Shape;
        _tensors = new GptTensors(layout);
        _weights = weights;
        int C = _shape.Width;
        _qkv = new AlignedBuffer[_shape.Layers];
        for (int i = 0; i < _qkv.Length; i++)
        {
            _qkv[i] = Own((long)_shape.Block * 3 * C);
        }

        _hidden = Own(PieceMax * C);
        _normed = Own(PieceMax * C);
        _statistics = Own(2 * PieceMax);
        _attended = Own(PieceMax * C);
        _branch = Own(PieceMax * C);
        _up = Own(PieceMax * 4L * C);
        _scores = Own(_shape.Block);
        _logits = Own(_shape.Vocabulary);
    }

    /// <summary>Threads that pay for a model on this machine: all cores for a large one, one for a small one.</summary>
    public static int ThreadsFor(ParameterLayout layout) => Math.Clamp(layout.Length / WeightsPerThread, 1, Environment.ProcessorCount);

    /// <summary>Tokens read so far; at most the block.</summary>
    public int Length { get; private set; }

    /// <summary>Logits (V) of the token that follows the last one read.</summary>
    public ReadOnlySpan<float> Logits => _logits.Span;

    /// <summary>Forgets what was read.</summary>
    public void Reset() => Length = 0;

    /// <summary>Reads more of the sequence and computes the logits behind its last token.</summary>
    /// <param name="tokens">At least one id; together with what was read, at most the block.</param>
    /// <exception cref="ArgumentException">There are none, or they do not fit the block.</exception>
    public void Read(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty || Length + tokens.Length > _shape.Block)
        {
            throw new ArgumentException($"{tokens.Length} tokens behind {Length} do not fit a context of {_shape.Block}", nameof(tokens));
        }

        int last = 0;
        for (int i = 0; i < tokens.Length; i += PieceMax)
        {
            last = Math.Min(PieceMax, tokens.Length - i);
            ReadPiece(tokens.Slice(i, last));
        }

        int C = _shape.Width;
        Normalize(1, _hidden.Span.Slice((last - 1) * C, C), _tensors.FinalGain, _tensors.FinalBias);
        _product.Set(1, C, _shape.Vocabulary, _normed, _tensors.TokenEmbedding, null, _logits, 0);
        _team.Run(_product);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        _product.Dispose();
        foreach (AlignedBuffer buffer in _owned)
        {
            buffer.Dispose();
        }
    }

    private void ReadPiece(ReadOnlySpan<int> tokens)
    {
        int n = tokens.Length, C = _shape.Width;
        Span<float> hidden = _hidden.Span[..(n * C)];
        Embedding.Forward(tokens, Length, C, At(_tensors.TokenEmbedding), At(_tensors.PositionEmbedding), hidden);
        for (int layer = 0; layer < _shape.Layers; layer++)
        {
            LayerTensors t = _tensors.Layers[layer];
            Normalize(n, hidden, t.Gain1, t.Bias1);
            Linear(n, C, 3 * C, _normed, t.QkvWeight, t.QkvBias, _qkv[layer], Length * 3 * C);
            Attend(layer, n);
            Linear(n, C, C, _attended, t.ProjectionWeight, t.ProjectionBias, _branch);
            Residual.Add(hidden, _branch.Span[..(n * C)], hidden);
            Normalize(n, hidden, t.Gain2, t.Bias2);
            Linear(n, C, 4 * C, _normed, t.UpWeight, t.UpBias, _up);
            Span<float> up = _up.Span[..(n * 4 * C)];
            Gelu.Forward(up, up);
            Linear(n, 4 * C, C, _up, t.DownWeight, t.DownBias, _branch);
            Residual.Add(hidden, _branch.Span[..(n * C)], hidden);
        }

        Length += n;
    }

    private void Attend(int layer, int n)
    {
        int C = _shape.Width, D = _shape.HeadSize;
        Span<float> qkv = _qkv[layer].Span;
        for (int i = 0; i < n; i++)
        {
            for (int head = 0; head < _shape.Heads; head++)
            {
                int column = head * D;
                CachedAttention.Forward(
                    Length + i + 1,
                    D,
                    3 * C,
                    qkv.Slice(((Length + i) * 3 * C) + column, D),
                    qkv[(C + column)..],
                    qkv[((2 * C) + column)..],
                    _scores.Span,
                    _attended.Span.Slice((i * C) + column, D));
            }
        }
    }

    private void Normalize(int rows, ReadOnlySpan<float> x, ParameterRange gain, ParameterRange bias) => LayerNorm.Forward(
        rows, _shape.Width, x, At(gain), At(bias), Epsilon, _normed.Span, _statistics.Span[..PieceMax], _statistics.Span[PieceMax..]);

    private void Linear(
        int rows, int k, int n, AlignedBuffer x, ParameterRange weight, ParameterRange bias, AlignedBuffer y, int yFirst = 0)
    {
        _product.Set(rows, k, n, x, weight, bias, y, yFirst);
        _team.Run(_product);
    }

    private ReadOnlySpan<float> At(ParameterRange range) => _weights.Span.Slice(range.Offset, range.Length);

    private AlignedBuffer Own(long length)
    {
        var buffer = new AlignedBuffer(length);
        _owned.Add(buffer);
        return buffer;
    }
}
