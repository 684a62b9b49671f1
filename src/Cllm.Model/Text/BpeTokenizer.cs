using System.Buffers;
using System.Text;
using Library = Microsoft.ML.Tokenizers;

namespace Cllm.Model.Text;

/// <summary>
/// Byte-level BPE as in GPT-2 (Radford et al. 2019): any text can be encoded, and decoding gives it back exactly.
/// </summary>
/// <remarks>
/// Merging is done by Microsoft.ML.Tokenizers, whose ids equal those of a naive implementation of the paper in all tests. Three things
/// are done here instead, because there it falls short: pieces are cut by <see cref="PreToken"/> (its regular expressions take letters
/// outside the basic plane for symbols); unpaired surrogates become U+FFFD (it writes each as bytes that are no UTF-8); and a text with a
/// very long piece, such as a megabyte without a space, is merged by <see cref="BpeMerger"/> (its time grows with the piece's square).
/// </remarks>
public sealed class BpeTokenizer : ITokenizer
{
    /// <summary>Entries that <see cref="Train"/> learns by default.</summary>
    public const int DefaultVocabulary = 1000;

    // In chars. Up to here the library takes at most a few milliseconds for a piece.
    private const int LibraryPieceMax = 4096;

    private readonly byte[]?[] _tokens;
    private readonly BpeMerge[] _merges;
    private readonly IReadOnlyDictionary<string, int> _added;
    private readonly SearchValues<string> _addedTexts;
    private readonly TokenTable _table;
    private readonly Library.BpeTokenizer _library;
    private readonly Lazy<BpeRules> _rules;

    /// <summary>Creates the tokenizer.</summary>
    /// <param name="tokens">
    /// The bytes of each id; null for an id without token. All single bytes are there and no two tokens are equal, added ones aside.
    /// </param>
    /// <param name="merges">The merge rules in order, each once; the bytes of a pair in a row are a token.</param>
    /// <param name="added">Texts that are cut out before anything else and have one id each, such as "&lt;|endoftext|&gt;".</param>
    internal BpeTokenizer(byte[]?[] tokens, BpeMerge[] merges, IReadOnlyDictionary<string, int> added)
    {
        _tokens = tokens;
        _merges = merges;
        _added = added;
        _addedTexts = SearchValues.Create([.. added.Keys], StringComparison.Ordinal);
        _table = new TokenTable(tokens);
        var addedIds = added.Values.ToHashSet();
        var vocabulary = new Dictionary<string, int>();
        for (int id = 0; id < tokens.Length; id++)
        {
            if (tokens[id] is { } bytes && !addedIds.Contains(id))
            {
                vocabulary.Add(ByteSymbols.Write(bytes), id);
            }
        }

        (string Left, string Right)[] pairs =
            [.. merges.Select(m => (ByteSymbols.Write(tokens[m.Left]), ByteSymbols.Write(tokens[m.Right])))];
        _rules = new Lazy<BpeRules>(() => new BpeRules(vocabulary, pairs));
        _library = Library.BpeTokenizer.Create(new Library.BpeOptions(vocabulary)
        {
            Merges = pairs.Select(pair => $"{pair.Left} {pair.Right}"),
            ByteLevel = true,
            PreTokenizer = new Pieces(),
        });
    }

    /// <inheritdoc/>
    public string Kind => "bpe";

    /// <inheritdoc/>
    public int VocabularySize => _table.Count;

    /// <summary>The merge rules in order.</summary>
    internal IReadOnlyList<BpeMerge> Merges => _merges;

    /// <summary>Learns a vocabulary from a text: the 256 bytes, and merges of the most frequent neighbours.</summary>
    /// <param name="text">The text.</param>
    /// <param name="vocabulary">
    /// Entries wanted, from 256 to 65536. A short text has fewer: merging ends when no pair of tokens occurs twice.
    /// </param>
    /// <exception cref="InputException">The vocabulary is out of its range.</exception>
    public static BpeTokenizer Train(string text, int vocabulary = DefaultVocabulary)
    {
        if (vocabulary is < 256 or > 65536)
        {
            throw new InputException(
                $"A bpe vocabulary has 256 (the bytes) to 65536 entries (ids are stored in 16 bits), not {vocabulary}; change --vocab.");
        }

        (byte[][] tokens, BpeMerge[] merges) = BpeTrainer.Train(text, vocabulary);
        return new BpeTokenizer(tokens, merges, new Dictionary<string, int>());
    }

    /// <inheritdoc/>
    public int[] Encode(string text)
    {
        text = WellFormed(text);
        if (_added.Count == 0)
        {
            return [.. EncodeStretch(text)];
        }

        var ids = new List<int>();
        int from = 0;
        while (text.AsSpan(from).IndexOfAny(_addedTexts) is var distance && distance >= 0)
        {
            int at = from + distance;
            string added = LongestAddedAt(text.AsSpan(at));
            ids.AddRange(EncodeStretch(text[from..at]));
            ids.Add(_added[added]);
            from = at + added.Length;
        }

        ids.AddRange(EncodeStretch(text[from..]));
        return [.. ids];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids) => _table.Decode(ids);

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Bytes(int id) => _table[id];

    /// <inheritdoc/>
    public long ByteCount(ReadOnlySpan<int> ids) => _table.ByteCount(ids);

    /// <inheritdoc/>
    public byte[] Serialize() => TokenizerJson.WriteBpe(_tokens, _merges, _added);

    /// <summary>The ids by our own merging, which the library's are compared with.</summary>
    internal List<int> EncodeWithoutLibrary(string text)
    {
        var ids = new List<int>();
        var merger = new BpeMerger(_rules.Value);
        for (int at = 0; at < text.Length;)
        {
            int length = PreToken.LengthAt(text, at);
            merger.Merge(Encoding.UTF8.GetBytes(text.Substring(at, length)), ids);
            at += length;
        }

        return ids;
    }

    private static bool HasLongPiece(string text)
    {
        int length = 0;
        for (int at = 0; at < text.Length && length <= LibraryPieceMax; at += length)
        {
            length = PreToken.LengthAt(text, at);
        }

        return length > LibraryPieceMax;
    }

    private static string WellFormed(string text)
    {
        for (int at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]))
            {
                if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
                {
                    return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
                }

                at++;
            }
        }

        return text;
    }

    private IReadOnlyList<int> EncodeStretch(string text) => HasLongPiece(text) ? EncodeWithoutLibrary(text) : _library.EncodeToIds(text);

    private string LongestAddedAt(ReadOnlySpan<char> text)
    {
        string longest = "";
        foreach (string added in _added.Keys)
        {
            if (added.Length > longest.Length && text.StartsWith(added, StringComparison.Ordinal))
            {
                longest = added;
            }
        }

        return longest;
    }

    /// <summary>GPT-2's pieces for the library.</summary>
    private sealed class Pieces : Library.PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
        {
            for (int at = 0; at < text.Length;)
            {
                int length = PreToken.LengthAt(text, at);
                yield return (at, length);
                at += length;
            }
        }

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
    }
}
