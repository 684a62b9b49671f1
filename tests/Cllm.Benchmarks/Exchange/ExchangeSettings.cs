namespace Cllm.Benchmarks.Exchange;

/// <summary>What both processes are started with.</summary>
/// <param name="Shards">Shards of the run.</param>
/// <param name="LeafMilliseconds">How long a leaf takes.</param>
/// <param name="HasCopies">Whether copies of slices are made.</param>
/// <param name="IsOverTcp">Whether tensors go over TCP although both are on one machine.</param>
internal sealed record ExchangeSettings(int Shards, int LeafMilliseconds, bool HasCopies, bool IsOverTcp)
{
    /// <summary>For the command line of the other process.</summary>
    public string[] Words => [$"{Shards}", $"{LeafMilliseconds}", $"{HasCopies}", $"{IsOverTcp}"];

    /// <summary>Reads the words.</summary>
    public static ExchangeSettings Read(ReadOnlySpan<string> words) =>
        new(int.Parse(words[0]), int.Parse(words[1]), bool.Parse(words[2]), bool.Parse(words[3]));
}
