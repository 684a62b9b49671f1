using System.Text;
using System.Text.RegularExpressions;

namespace Cllm.Tests.Text;

/// <summary>Byte-level BPE as the paper tells it: recount all pairs for every merge, apply rules one after another. The oracle.</summary>
internal sealed class NaiveBpe
{
    // The pattern published with GPT-2; right for text of the basic plane, which is where .NET's classes are.
    private static readonly Regex Pattern = new(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");

    public List<(int Left, int Right)> Merges { get; } = [];

    public List<byte[]> Tokens { get; } = [.. PrintableFirst().Select(value => new[] { value })];

    public static IEnumerable<string> Pieces(string text) => Pattern.Matches(text).Select(match => match.Value);

    public static NaiveBpe Train(string text, int vocabulary)
    {
        var bpe = new NaiveBpe();
        List<List<int>> pieces = [.. Pieces(text).Select(bpe.Bytes)];
        while (bpe.Tokens.Count < vocabulary)
        {
            var counts = new SortedDictionary<(int, int), int>();
            foreach (List<int> piece in pieces)
            {
                for (int i = 0; i + 1 < piece.Count; i++)
                {
                    counts[(piece[i], piece[i + 1])] = counts.GetValueOrDefault((piece[i], piece[i + 1])) + 1;
                }
            }

            // Sorted by pair and MaxBy keeps the first: equal counts go to the smallest pair.
            if (counts.Count == 0 || counts.MaxBy(entry => entry.Value) is not { Value: >= 2 } best)
            {
                break;
            }

            bpe.Merges.Add(best.Key);
            int merged = bpe.Id([.. bpe.Tokens[best.Key.Item1], .. bpe.Tokens[best.Key.Item2]]);
            pieces.ForEach(piece => Apply(piece, best.Key, merged));
        }

        return bpe;
    }

    public List<int> Encode(string text)
    {
        var ids = new List<int>();
        foreach (List<int> piece in Pieces(text).Select(Bytes))
        {
            foreach ((int Left, int Right) merge in Merges)
            {
                Apply(piece, merge, Id([.. Tokens[merge.Left], .. Tokens[merge.Right]]));
            }

            ids.AddRange(piece);
        }

        return ids;
    }

    private static void Apply(List<int> piece, (int Left, int Right) pair, int merged)
    {
        for (int i = 0; i + 1 < piece.Count; i++)
        {
            if ((piece[i], piece[i + 1]) == pair)
            {
                piece[i] = merged;
                piece.RemoveAt(i + 1);
            }
        }
    }

    private static IEnumerable<byte> PrintableFirst()
    {
        List<int> printable = [.. Range('!', '~'), .. Range(0xA1, 0xAC), .. Range(0xAE, 0xFF)];
        return printable.Concat(Enumerable.Range(0, 256).Except(printable)).Select(value => (byte)value);
    }

    private static IEnumerable<int> Range(int first, int last) => Enumerable.Range(first, last - first + 1);

    private List<int> Bytes(string piece) => [.. Encoding.UTF8.GetBytes(piece).Select(value => Id([value]))];

    private int Id(byte[] bytes)
    {
        int id = Tokens.FindIndex(token => token.AsSpan().SequenceEqual(bytes));
        if (id < 0)
        {
            id = Tokens.Count;
            Tokens.Add(bytes);
        }

        return id;
    }
}
