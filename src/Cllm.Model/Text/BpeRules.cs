namespace Cllm.Model.Text;

/// <summary>The merge rules of a byte-level BPE, looked up by pair. Immutable.</summary>
internal sealed class BpeRules
{
    private readonly int[] _byteIds = new int[256];
    private readonly Dictionary<(int Left, int Right), (int Rank, int Merged)> _byPair;

    /// <summary>Indexes the rules.</summary>
    /// <param name="vocabulary">Ids by symbols (<see cref="ByteSymbols"/>).</param>
    /// <param name="merges">The rules in order, as symbols.</param>
    public BpeRules(Dictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        for (int value = 0; value < _byteIds.Length; value++)
        {
            _byteIds[value] = vocabulary[ByteSymbols.Write([(byte)value])];
        }

        _byPair = new Dictionary<(int, int), (int, int)>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            (string left, string right) = merges[rank];
            _byPair.Add((vocabulary[left], vocabulary[right]), (rank, vocabulary[left + right]));
        }
    }

    /// <summary>The id of the token that is this one byte.</summary>
    public int ByteId(byte value) => _byteIds[value];

    /// <summary>The rule for a pair, if there is one.</summary>
    public bool TryFind(int left, int right, out int rank, out int merged)
    {
        bool found = _byPair.TryGetValue((left, right), out (int Rank, int Merged) rule);
        (rank, merged) = rule;
        return found;
    }
}
