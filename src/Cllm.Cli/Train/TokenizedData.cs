using System.Buffers.Binary;
using System.Security.Cryptography;
using Cllm.Model;
using Cllm.Model.Corpus;
using Cllm.Model.Feed;
using Cllm.Model.HuggingFace;
using Cllm.Model.Text;

namespace Cllm.Cli.Train;

/// <summary>A run's data as token ids, before they lie in the run's folder.</summary>
public sealed class TokenizedData
{
    private const string TokensName = "tokens.bin";

    /// <summary>Names of the files that <see cref="Store"/> puts into a run's folder.</summary>
    public static readonly string[] FileNames = [TokensName, HuggingFaceFolder.TokenizerName];

    private readonly int[]? _ids;
    private readonly string? _binPath;

    private TokenizedData(ITokenizer tokenizer, int[] ids)
    {
        Tokenizer = tokenizer;
        _ids = ids;
        Count = ids.Length;
        Vocabulary = tokenizer.VocabularySize;
        Digest = DigestOf(ids);
    }

    private TokenizedData(string binPath, int vocabulary)
    {
        _binPath = Path.GetFullPath(binPath);
        using TokenFile file = TokenFile.Open(_binPath, vocabulary);
        Count = file.Length;
        Vocabulary = vocabulary;
        Digest = file.Digest();
    }

    /// <summary>The tokenizer; null when the data were token ids.</summary>
    public ITokenizer? Tokenizer { get; }

    /// <summary>Number of tokens.</summary>
    public long Count { get; }

    /// <summary>Entries of the vocabulary the ids come from.</summary>
    public int Vocabulary { get; }

    /// <summary>SHA-256 of the ids.</summary>
    public string Digest { get; }

    /// <summary>What the run's configuration calls the tokenizer.</summary>
    public string Kind => Tokenizer?.Kind ?? TrainPlan.TokenIds;

    /// <summary>SHA-256 of the tokenizer's file; empty when the data were token ids.</summary>
    public string TokenizerDigest => Tokenizer is null ? "" : TokenizerFile.Digest(Tokenizer);

    /// <summary>Where a run's tokens lie.</summary>
    public static string TokensPath(string run) => Path.Combine(run, TokensName);

    /// <summary>Where a run's tokenizer lies.</summary>
    public static string TokenizerPath(string run) => Path.Combine(run, HuggingFaceFolder.TokenizerName);

    /// <summary>Whether a path names token ids rather than text.</summary>
    public static bool IsTokenIds(string? path) =>
        path is not null && Path.GetExtension(path).Equals(".bin", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the data and makes tokens of them.</summary>
    /// <param name="dataPath">--data; null is the built-in corpus.</param>
    /// <param name="makeTokenizer">Chooses the tokenizer for a text; not asked for token ids.</param>
    /// <param name="vocabulary">Vocabulary that token ids have to be below.</param>
    /// <exception cref="InputException">The data are missing, empty or unreadable, or an id is beyond the vocabulary.</exception>
    public static TokenizedData Read(string? dataPath, Func<string, ITokenizer> makeTokenizer, int vocabulary)
    {
        if (IsTokenIds(dataPath))
        {
            return new TokenizedData(dataPath!, vocabulary);
        }

        string text = dataPath is null ? StoryCorpus.Generate() : TextSource.Read(dataPath);
        ITokenizer tokenizer = makeTokenizer(text);
        return new TokenizedData(tokenizer, tokenizer.Encode(text));
    }

    /// <summary>Puts the tokens and their tokenizer into a run's folder; a file of token ids is linked to, for it may be large.</summary>
    public void Store(string run)
    {
        if (_ids is not null)
        {
            TokenFile.Write(TokensPath(run), _ids);
            TokenizerFile.Save(TokenizerPath(run), Tokenizer!);
        }
        else
        {
            File.Delete(TokensPath(run));
            File.CreateSymbolicLink(TokensPath(run), _binPath!);
        }
    }

    private static string DigestOf(ReadOnlySpan<int> ids)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = new byte[1 << 16];
        while (!ids.IsEmpty)
        {
            int count = Math.Min(ids.Length, bytes.Length / sizeof(ushort));
            for (int i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * sizeof(ushort)), (ushort)ids[i]);
            }

            hash.AppendData(bytes, 0, count * sizeof(ushort));
            ids = ids[count..];
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
