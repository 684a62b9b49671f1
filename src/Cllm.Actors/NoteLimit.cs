namespace Cllm.Actors;

/// <summary>
/// Lets the first sentence of each kind through, and then one a minute with the number of those that were not told: whoever makes a process say something
/// again and again cannot fill its log. Used by one thread.
/// </summary>
internal sealed class NoteLimit
{
    /// <summary>Kinds that are told apart; all others are one kind, for strangers may choose them.</summary>
    public const int KindsMax = 32;

    private const int KindLettersMax = 48;

    private static readonly long PauseTicks = TimeSpan.FromMinutes(1).Ticks;

    private readonly Dictionary<string, Told> _kinds = [];

    /// <summary>The first line of a message: some of Akka.NET's quote an exception with its stack.</summary>
    public static string FirstLine(object message) => $"{message}".TrimStart().ReplaceLineEndings("\n").Split('\n', 2)[0].TrimEnd();

    /// <summary>What is to be told of a sentence; none when it is only counted.</summary>
    /// <param name="sentence">The sentence. Its kind is how it begins, numbers aside.</param>
    /// <param name="nowTicks">Time of a clock that never goes back, in units of 100 nanoseconds.</param>
    public string? Pass(string sentence, long nowTicks)
    {
        var kind = KindOf(sentence);
        if (!_kinds.TryGetValue(kind, out var told))
        {
            kind = _kinds.Count < KindsMax - 1 ? kind : "";
            if (!_kinds.TryGetValue(kind, out told))
            {
                _kinds.Add(kind, told = new());
                told.AtTicks = nowTicks;
                return sentence;
            }
        }

        if (nowTicks - told.AtTicks < PauseTicks)
        {
            told.Untold++;
            return null;
        }

        var count = told.Untold;
        (told.AtTicks, told.Untold) = (nowTicks, 0);
        return count == 0 ? sentence : $"{sentence} ({count} more like it since it was said last)";
    }

    private static string KindOf(string sentence) => string.Concat(sentence.Take(KindLettersMax).Where(letter => !char.IsAsciiDigit(letter)));

    private sealed class Told
    {
        public long AtTicks { get; set; }

        /// <summary>Sentences since then that were only counted.</summary>
        public long Untold { get; set; }
    }
}
