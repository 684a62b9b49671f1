using System.Text;
using Cllm.Model;
using Cllm.Model.Text;
using FsCheck.Xunit;

namespace Cllm.Tests.Text;

public sealed class ByteAndCharTokenizerTests
{
    [Property(Arbitrary = [typeof(UnicodeString)])]
    public void Bytes_are_their_own_ids_and_decode_to_the_text(UnicodeString text)
    {
        var tokenizer = new ByteTokenizer();
        int[] ids = tokenizer.Encode(text.Get);
        Assert.Equal(Encoding.UTF8.GetBytes(text.Get), ids.Select(id => (byte)id));
        Assert.Equal(text.Get, tokenizer.Decode(ids));
        Assert.Equal(ids.Length, tokenizer.ByteCount(ids));
    }

    [Fact]
    public void Characters_are_numbered_by_code_point()
    {
        CharTokenizer tokenizer = CharTokenizer.Train("hé😀\uFFFDé h");
        Assert.Equal(5, tokenizer.VocabularySize);
        Assert.Equal([0, 1, 2, 3, 4], tokenizer.Encode(" hé\uFFFD😀"));
        Assert.Equal("😀h", tokenizer.Decode([4, 1]));
    }

    [Property(Arbitrary = [typeof(UnicodeString)])]
    public void Characters_that_were_seen_decode_to_the_text(UnicodeString text)
    {
        CharTokenizer tokenizer = CharTokenizer.Train(text.Get + "x");
        int[] ids = tokenizer.Encode(text.Get);
        Assert.Equal(text.Get.EnumerateRunes().Count(), ids.Length);
        Assert.Equal(text.Get, tokenizer.Decode(ids));
        Assert.Equal(Encoding.UTF8.GetByteCount(text.Get), tokenizer.ByteCount(ids));
    }

    [Theory]
    [InlineData("ab\ncaé", "'é' (U+00E9) on line 2, column 3")]
    [InlineData("a😀", "'😀' (U+1F600) on line 1, column 2")]
    [InlineData("a\u0001", "character (U+0001) on line 1, column 2")]
    public void A_character_that_was_not_seen_is_named_with_its_place(string text, string expected)
    {
        CharTokenizer tokenizer = CharTokenizer.Train("abc\n");
        string sentence = Assert.Throws<InputException>(() => tokenizer.Encode(text)).Message;
        Assert.Contains(expected, sentence, StringComparison.Ordinal);
        Assert.Contains("--tokenizer bpe or byte", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void There_are_no_characters_in_an_empty_text() => Assert.Throws<InputException>(() => CharTokenizer.Train(""));
}
