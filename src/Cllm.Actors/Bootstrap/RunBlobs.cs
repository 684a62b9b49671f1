using Cllm.Actors.Channel;
using Microsoft.Win32.SafeHandles;

namespace Cllm.Actors.Bootstrap;

/// <summary>What a node gives to processes that are about to join: the tokenizer's file and the token ids, as numbered bytes.</summary>
public sealed class RunBlobs : ITensorStore, IDisposable
{
    /// <summary>Number of the tokenizer's file.</summary>
    public const int Tokenizer = 0;

    /// <summary>Number of the token ids, two bytes each.</summary>
    public const int Tokens = 1;

    private readonly byte[] _tokenizer;
    private readonly SafeFileHandle _tokens;

    /// <summary>Opens the ids.</summary>
    /// <param name="tokenizer">The tokenizer's file; empty when the data were token ids.</param>
    /// <param name="tokensPath">The file of token ids.</param>
    public RunBlobs(byte[] tokenizer, string tokensPath)
    {
        _tokenizer = tokenizer;
        _tokens = File.OpenHandle(tokensPath);
        TokenBytes = RandomAccess.GetLength(_tokens);
    }

    /// <summary>Bytes of the tokenizer's file; 0 is none.</summary>
    public long TokenizerBytes => _tokenizer.Length;

    /// <summary>Bytes of the token ids.</summary>
    public long TokenBytes { get; }

    /// <inheritdoc/>
    public TensorSignal Changed { get; } = new();

    /// <inheritdoc/>
    public ITensorReader CreateReader() => new Reader(this);

    /// <inheritdoc/>
    public void Dispose() => _tokens.Dispose();

    private long BytesOf(int number) => number switch
    {
        Tokenizer => TokenizerBytes,
        Tokens => TokenBytes,
        _ => 0,
    };

    private sealed class Reader(RunBlobs blobs) : ITensorReader
    {
        private int _number;
        private long _first;

        public TensorOpening Open(in TensorRequest request)
        {
            if (request.Kind != TensorKind.Blob || blobs.BytesOf(request.Number) == 0)
            {
                return TensorOpening.Refuse(RefusalReason.Unknown, $"There is no {request.Kind} {request.Number} here.");
            }

            if (request.Offset + request.Length > blobs.BytesOf(request.Number))
            {
                return TensorOpening.Refuse(RefusalReason.WrongRange, $"Blob {request.Number} has {blobs.BytesOf(request.Number)} bytes.");
            }

            (_number, _first) = (request.Number, request.Offset);
            return TensorOpening.Ready;
        }

        public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch)
        {
            if (_number == Tokenizer)
            {
                return blobs._tokenizer.AsSpan((int)(_first + offset), length);
            }

            var filled = 0;
            while (filled < length)
            {
                var read = RandomAccess.Read(blobs._tokens, scratch[filled..length], _first + offset + filled);
                if (read == 0)
                {
                    return [];
                }

                filled += read;
            }

            return scratch[..length];
        }

        public TensorRefusal Close() => TensorRefusal.None;

        public void Dispose()
        {
        }
    }
}
