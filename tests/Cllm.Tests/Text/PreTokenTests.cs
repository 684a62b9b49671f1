using Cllm.Model.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Cllm.Tests.Text;

public sealed class PreTokenTests
{
    [Theory]
    [InlineData("Hello  world's 3rd \n\n test", "Hello| | world|'s| 3|rd| \n\n| test")]
    [InlineData("a\n b\t\tc ", "a|\n| b|\t|\t|c| ")]
    [InlineData("we'll 'SAY !?x", "we|'ll| '|SAY| !?|x")]
    [InlineData(" \u00A0x", " |\u00A0|x")]
    public void Pieces_are_those_of_GPT2(string text, string expected) => Assert.Equal(expected, string.Join('|', Pieces(text)));

    [Property(MaxTest = 1000)]
    public Property Pieces_are_the_matches_of_the_published_pattern() => Prop.ForAll(BasicPlane(), text =>
        Assert.Equal(NaiveBpe.Pieces(text), Pieces(text)));

    [Property(Arbitrary = [typeof(UnicodeString)])]
    public void Pieces_in_a_row_are_the_text(UnicodeString text) => Assert.Equal(text.Get, string.Concat(Pieces(text.Get)));

    private static IEnumerable<string> Pieces(string text)
    {
        for (int at = 0; at < text.Length;)
        {
            int length = PreToken.LengthAt(text, at);
            yield return text.Substring(at, length);
            at += length;
        }
    }

    private static Arbitrary<string> BasicPlane() => Gen.OneOf(
            Gen.Elements([.. " \n\t\r\u000B\u0085\u00A0\u2028\u3000'\"stredvlmSTé小ّ½Ⅷ٣!?-_\u200b\u0301"]),
            Gen.Choose(0, 0x7F).Select(point => (char)point),
            Gen.Choose(0x80, 0xD7FF).Select(point => (char)point))
        .ListOf().Select(characters => new string([.. characters])).ToArbitrary();
}
