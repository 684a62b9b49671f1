namespace Cllm.Model.Text;

/// <summary>
/// Applies merge rules to the bytes of one piece: always the applicable rule of lowest rank, leftmost first. O(n log n), so a piece of
/// a million letters is no trouble. Holds its workspace; one thread uses it at a time.
/// </summary>
internal sealed class BpeMerger(BpeRules rules)
{
    private const int End = -1;

    private readonly PriorityQueue<int, (int Rank, int Place)> _candidates = new();

    // The symbols as a linked list; a symbol that was merged away is End.
    private int[] _symbol = [];
    private int[] _next = [];
    private int[] _previous = [];

    /// <summary>Appends the ids of one piece.</summary>
    public void Merge(ReadOnlySpan<byte> piece, List<int> ids)
    {
        Load(piece);
        while (_candidates.TryDequeue(out int place, out (int Rank, int Place) key))
        {
            // A candidate is old when one of its symbols has been merged since: its pair then has another rank or none.
            int right = _symbol[place] == End ? End : _next[place];
            if (right == End || !rules.TryFind(_symbol[place], _symbol[right], out int rank, out int merged) || rank != key.Rank)
            {
                continue;
            }

            _symbol[place] = merged;
            _symbol[right] = End;
            int after = _next[place] = _next[right];
            if (after != End)
            {
                _previous[after] = place;
            }

            Consider(place);
            Consider(_previous[place]);
        }

        for (int place = piece.IsEmpty ? End : 0; place != End; place = _next[place])
        {
            ids.Add(_symbol[place]);
        }
    }

    private void Load(ReadOnlySpan<byte> piece)
    {
        if (piece.Length > _symbol.Length)
        {
            _symbol = new int[piece.Length];
            _next = new int[piece.Length];
            _previous = new int[piece.Length];
        }

        for (int i = 0; i < piece.Length; i++)
        {
            _symbol[i] = rules.ByteId(piece[i]);
            _previous[i] = i - 1;
            _next[i] = i + 1 == piece.Length ? End : i + 1;
        }

        for (int i = 0; i < piece.Length; i++)
        {
            Consider(i);
        }
    }

    private void Consider(int place)
    {
        if (place != End && _next[place] != End && rules.TryFind(_symbol[place], _symbol[_next[place]], out int rank, out _))
        {
            _candidates.Enqueue(place, (rank, place));
        }
    }
}
