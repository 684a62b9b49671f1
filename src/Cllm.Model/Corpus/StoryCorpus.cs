using System.Text;

namespace Cllm.Model.Corpus;

/// <summary>
/// The built-in text: small stories for small models, written by a grammar of our own. A few hundred words, short sentences, and facts
/// that hold within a story (who is who, what was lost and where), so that a reader sees at a glance what a model has learnt.
/// </summary>
/// <remarks>
/// A story is a title line and a handful of paragraphs, one per line; a blank line separates stories. The text is a pure function of
/// its arguments on every machine.
/// </remarks>
public static class StoryCorpus
{
    private static readonly Plot[] Plots = [.. PlotsOfThings.All, .. PlotsOfFriends.All, .. PlotsOfDoing.All];

    /// <summary>Writes stories, whole ones, until there are at least so many characters.</summary>
    /// <param name="approximateCharacters">Wanted length; the text is at most one story longer.</param>
    /// <param name="seed">Other seeds give other stories.</param>
    public static string Generate(int approximateCharacters = 1_000_000, ulong seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(approximateCharacters);
        var text = new StringBuilder(approximateCharacters + 2000);
        var random = new SplitMix64(SplitMix64.Mix(seed));
        while (text.Length < approximateCharacters)
        {
            if (text.Length > 0)
            {
                text.Append("\n\n");
            }

            Plot plot = Plots[random.Next(Plots.Length)];
            plot.Tell(new Scene(random.Next()), text);
        }

        return text.Append('\n').ToString();
    }
}
