using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Cllm.Model.Corpus;
using Cllm.Model.Text;

namespace Cllm.Tests.Corpus;

public sealed class StoryCorpusTests
{
    private static readonly string Text = StoryCorpus.Generate();

    private static readonly string[] Stories = Text.TrimEnd('\n').Split("\n\n");

    // Pinned: the default data of every run; losses and digests in the documentation refer to it.
    [Fact]
    public void The_default_text_is_the_same_for_ever() => Assert.Equal(
        "b7e796129c0b1f78074b1f66f92b1d7360a81c53cd716cb84c3eaffc58e5d1b9",
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text))));

    [Fact]
    public void It_is_as_long_as_asked_for_and_ends_with_a_whole_story()
    {
        Assert.InRange(Text.Length, 1_000_000, 1_002_000);
        Assert.EndsWith(".\n", Text.Replace("\"\n", "\n", StringComparison.Ordinal), StringComparison.Ordinal);
        string small = StoryCorpus.Generate(3000, 7);
        Assert.InRange(small.Length, 3000, 5000);
        Assert.StartsWith(small.TrimEnd('\n'), StoryCorpus.Generate(20_000, 7), StringComparison.Ordinal);
        Assert.NotEqual(small, StoryCorpus.Generate(3000, 8));
    }

    [Fact]
    public void Stories_are_short_and_no_two_are_the_same()
    {
        Assert.Equal(Stories.Length, Stories.Distinct().Count());
        Assert.All(Stories, story => Assert.InRange(story.Split([' ', '\n']).Length, 60, 240));
        Assert.InRange(Stories.Length, 900, 1500);
    }

    [Fact]
    public void The_vocabulary_is_small()
    {
        int words = Regex.Matches(Text, "[A-Za-z]+").Select(match => match.Value.ToLowerInvariant()).Distinct().Count();
        Assert.InRange(words, 500, 1200);
        Assert.True(Text.All(c => char.IsAsciiLetter(c) || " \n.,!?\"".Contains(c, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(@"[{}\[\]|]")]
    [InlineData(@"  ")]
    [InlineData(@" [.,!?]")]
    [InlineData(@"[.,!?][.,!?]")]
    [InlineData(@"\b[Aa] [aeiou]")]
    [InlineData(@"\b[Aa]n [^aeiou]")]
    [InlineData(@"\b(\w+) \1\b")]
    [InlineData(@"(?m)^[a-z ]|[^.!?""A-Za-z]$| $")]
    [InlineData(@"[.!?] [a-z]")]
    public void No_sentence_shows_the_seams_of_its_template(string seam) =>
        Assert.DoesNotMatch(seam, Text.Replace("\n\n", "\n", StringComparison.Ordinal).TrimEnd());

    [Fact]
    public void Quotation_marks_are_closed_within_their_paragraph() =>
        Assert.All(Text.Split('\n'), line => Assert.Equal(0, line.Count(c => c == '"') % 2));

    [Fact]
    public void Nobody_who_is_introduced_changes_kind_within_a_story() => Assert.All(Stories, story =>
    {
        // "Sam the turtle", "a little lamb named Clara": each name of a story goes with one kind.
        var kinds = new HashSet<(string Name, string Kind)>();
        string alternatives = string.Join('|', Kind.All.Select(kind => kind.Name));
        foreach (Match match in Regex.Matches(story, $@"\b([A-Z][a-z]+) the ({alternatives})\b"))
        {
            kinds.Add((match.Groups[1].Value, match.Groups[2].Value));
        }

        foreach (Match match in Regex.Matches(story, $@"\b({alternatives}) (?:named|called) ([A-Z][a-z]+)"))
        {
            kinds.Add((match.Groups[2].Value, match.Groups[1].Value));
        }

        Assert.Equal(kinds.Count, kinds.Select(entry => entry.Name).Distinct().Count());
        Assert.Equal(kinds.Count, kinds.Select(entry => entry.Kind).Distinct().Count());
        Assert.NotEmpty(kinds);
    });

    [Fact]
    public void A_tokenizer_of_a_thousand_entries_fits_it_well()
    {
        BpeTokenizer tokenizer = BpeTokenizer.Train(Text);
        Assert.Equal(1000, tokenizer.VocabularySize);
        int[] ids = tokenizer.Encode(Text);
        Assert.Equal(Text, tokenizer.Decode(ids));
        Assert.InRange((double)Text.Length / ids.Length, 3, 4);
    }
}
