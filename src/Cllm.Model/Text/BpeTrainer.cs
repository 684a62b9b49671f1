using System.Runtime.InteropServices;
using System.Text;

namespace Cllm.Model.Text;

/// <summary>
/// Learns byte-level BPE (Sennrich et al. 2016): over and over, the most frequent pair of neighbouring tokens becomes a token.
/// Equal counts go to the pair with the smaller left id, then the smaller right id, so equal texts give equal tokenizers everywhere.
/// </summary>
/// <remarks>
/// Works on distinct pieces with their counts, laid out in one linked list of symbols. Every pair knows where it occurs, so a merge
/// touches its own occurrences only: the whole training costs about the sum of all merges' occurrences.
/// </remarks>
internal sealed class BpeTrainer
{
    // A pair seen once says nothing about the language; merging it would only memorize the text.
    private const long PairCountMin = 2;
    private const int End = -1;

    // The linked list: Symbol[i] is a token id or End when merged away; Next and Previous stay within one piece.
    private readonly List<int> _symbol = [];
    private readonly List<int> _next = [];
    private readonly List<int> _previous = [];
    private readonly List<long> _weight = [];

    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<Pair, (long NegativeCount, int Left, int Right)> _queue = new();
    private readonly List<byte[]> _tokens = [];
    private readonly Dictionary<string, int> _idBySymbols = [];

    private BpeTrainer(string text)
    {
        foreach (byte value in ByteSymbols.InSymbolOrder())
        {
            AddToken([value]);
        }

        foreach ((byte[] piece, long count) in Pieces(text))
        {
            Append(piece, count);
        }
    }

    /// <summary>Learns at most so many tokens, the 256 bytes included; fewer when no pair occurs twice any more.</summary>
    public static (byte[][] Tokens, BpeMerge[] Merges) Train(string text, int vocabulary)
    {
        var trainer = new BpeTrainer(text);
        var merges = new List<BpeMerge>();
        foreach (Pair pair in trainer._pairs.Values)
        {
            trainer.Enqueue(pair);
        }

        while (trainer._tokens.Count < vocabulary && trainer.MostFrequent() is { } pair)
        {
            int merged = trainer.AddToken([.. trainer._tokens[pair.Left], .. trainer._tokens[pair.Right]]);
            merges.Add(new BpeMerge(pair.Left, pair.Right));
            trainer.Apply(pair, merged);
        }

        return ([.. trainer._tokens], [.. merges]);
    }

    // Distinct pieces and how often each occurs, in order of first occurrence.
    private static IEnumerable<(byte[] Piece, long Count)> Pieces(string text)
    {
        var counts = new Dictionary<string, long>();
        var counter = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int at = 0; at < text.Length;)
        {
            int length = PreToken.LengthAt(text, at);
            CollectionsMarshal.GetValueRefOrAddDefault(counter, text.AsSpan(at, length), out _)++;
            at += length;
        }

        return counts.Select(entry => (Encoding.UTF8.GetBytes(entry.Key), entry.Value));
    }

    private int AddToken(byte[] bytes)
    {
        // Two rules can lead to one token (a+bc, ab+c); a file names a token by its bytes, so both must give the same id.
        string symbols = ByteSymbols.Write(bytes);
        if (!_idBySymbols.TryGetValue(symbols, out int id))
        {
            id = _tokens.Count;
            _idBySymbols.Add(symbols, id);
            _tokens.Add(bytes);
        }

        return id;
    }

    private void Append(byte[] piece, long count)
    {
        int first = _symbol.Count;
        for (int i = 0; i < piece.Length; i++)
        {
            _symbol.Add(_idBySymbols[ByteSymbols.Write([piece[i]])]);
            _previous.Add(i == 0 ? End : first + i - 1);
            _next.Add(i == piece.Length - 1 ? End : first + i + 1);
            _weight.Add(count);
        }

        for (int i = first; i < _symbol.Count - 1; i++)
        {
            Count(i);
        }
    }

    // Counts the pair that begins at a place.
    private void Count(int place)
    {
        var key = (_symbol[place], _symbol[_next[place]]);
        ref Pair? pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, key, out _);
        pair ??= new Pair(key.Item1, key.Item2);
        pair.Count += _weight[place];
        pair.Places.Add(place);
    }

    private void Discount(int place)
    {
        Pair pair = _pairs[(_symbol[place], _symbol[_next[place]])];
        pair.Count -= _weight[place];
    }

    private void Enqueue(Pair pair)
    {
        if (pair.Count >= PairCountMin)
        {
            pair.QueuedCount = pair.Count;
            _queue.Enqueue(pair, (-pair.Count, pair.Left, pair.Right));
        }
    }

    // Counts only fall while a pair waits (a pair that grows is new and queued afterwards), so a stale entry goes back where it belongs.
    private Pair? MostFrequent()
    {
        while (_queue.TryDequeue(out Pair? pair, out var priority))
        {
            if (pair.Count == -priority.NegativeCount)
            {
                return pair;
            }

            if (pair.QueuedCount == -priority.NegativeCount)
            {
                Enqueue(pair);
            }
        }

        return null;
    }

    private void Apply(Pair pair, int merged)
    {
        var touched = new HashSet<Pair>();
        pair.Places.Sort();
        foreach (int place in pair.Places)
        {
            int right = _next[place];
            if (_symbol[place] != pair.Left || right == End || _symbol[right] != pair.Right)
            {
                continue;
            }

            Merge(place, right, merged, touched);
        }

        pair.Count = 0;
        _pairs.Remove((pair.Left, pair.Right));
        foreach (Pair grown in touched)
        {
            Enqueue(grown);
        }
    }

    private void Merge(int place, int right, int merged, HashSet<Pair> touched)
    {
        int before = _previous[place];
        int after = _next[right];
        if (before != End)
        {
            Discount(before);
        }

        if (after != End)
        {
            Discount(right);
        }

        _symbol[place] = merged;
        _symbol[right] = End;
        _next[place] = after;
        if (after != End)
        {
            _previous[after] = place;
            Count(place);
            touched.Add(_pairs[(merged, _symbol[after])]);
        }

        if (before != End)
        {
            Count(before);
            touched.Add(_pairs[(_symbol[before], merged)]);
        }
    }

    /// <summary>Two neighbouring tokens and where they stand.</summary>
    private sealed class Pair(int left, int right)
    {
        public int Left { get; } = left;

        public int Right { get; } = right;

        // How often the pair occurs in the text.
        public long Count { get; set; }

        // The count under which the queue holds it; an entry with another count is an old one.
        public long QueuedCount { get; set; }

        // Where its left symbol has stood; some places may have been merged away since.
        public List<int> Places { get; } = [];
    }
}
