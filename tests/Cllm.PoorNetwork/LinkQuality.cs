namespace Cllm.PoorNetwork;

/// <summary>How poor a link is in one direction.</summary>
/// <param name="Delay">How long a packet is under way, without the jitter and its own transmission.</param>
/// <param name="Jitter">How much longer or shorter that may be, evenly distributed; at most the delay.</param>
/// <param name="Loss">The part of all packets that is lost, 0 to 1, each by a draw of its own.</param>
/// <param name="BitsPerSecond">How fast packets follow each other.</param>
public sealed record LinkQuality(TimeSpan Delay, TimeSpan Jitter, double Loss, double BitsPerSecond);
