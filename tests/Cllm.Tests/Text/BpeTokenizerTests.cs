using System.Text;
using Cllm.Model;
using Cllm.Model.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Cllm.Tests.Text;

public sealed class BpeTokenizerTests
{
    private const string Sample =
        "The little fox said, \"I'll find my red ball, won't I?\" They've looked in 12 places; it's 3 o'clock.\n\n"
        + "Der kleine Fuchs suchte überall – unter dem Baum, über der Brücke. 小さな狐が赤いボールを探した。😀😀 👩‍👩‍👧\n"
        + "for (int i = 0; i < 10; i++)\n{\n    total += i * i;\n}\n\tif (x == null) { return; }   \n";

    private static readonly BpeTokenizer Trained = BpeTokenizer.Train(string.Concat(Enumerable.Repeat(Sample, 3)), 400);

    public static TheoryData<string> VariedTexts =>
    [
        "", " ", "  ", "\n", "\n\n\n  x", "   indented\n      more   ", "a\t\tb \r\n c",
        "\u00A0\u3000\u0085 x", "I'll we've he'd 'S 'll don''t",
        "überall über", "小さな狐 赤い", "😀 👩‍👩‍👧😀x", "٣٤ Ⅷ ½ 12 3", "\0\u0001\u007f", "\u200b\ufeff", new string('a', 3000), Sample,
    ];

    [Theory]
    [InlineData("low lower lowest newer newest wider", 300)]
    [InlineData("aaaaaaa aaaa aaaaaaaaaaa aa aaaaaaaaaaaaaa baaaaaaa abababab", 400)]
    [InlineData(Sample, 500)]
    public void Training_finds_the_merges_that_recounting_all_pairs_finds(string text, int vocabulary)
    {
        NaiveBpe naive = NaiveBpe.Train(text, vocabulary);
        BpeTokenizer tokenizer = BpeTokenizer.Train(text, vocabulary);
        Assert.Equal(naive.Merges, tokenizer.Merges.Select(merge => (merge.Left, merge.Right)));
        Assert.Equal(naive.Tokens.Count, tokenizer.VocabularySize);
    }

    [Property(MaxTest = 300)]
    public Property Training_agrees_with_recounting_on_any_text() => Prop.ForAll(LetterSoup(), text =>
    {
        NaiveBpe naive = NaiveBpe.Train(text, 330);
        BpeTokenizer tokenizer = BpeTokenizer.Train(text, 330);
        return naive.Merges.SequenceEqual(tokenizer.Merges.Select(merge => (merge.Left, merge.Right)));
    });

    [Property(MaxTest = 300)]
    public Property Encoding_agrees_with_applying_the_rules_in_order() => Prop.ForAll(LetterSoup(), LetterSoup(), (learnt, text) =>
    {
        BpeTokenizer tokenizer = BpeTokenizer.Train(learnt, 300);
        List<int> expected = NaiveBpe.Train(learnt, 300).Encode(text);
        return expected.SequenceEqual(tokenizer.Encode(text)) && expected.SequenceEqual(tokenizer.EncodeWithoutLibrary(text));
    });

    [Theory]
    [MemberData(nameof(VariedTexts))]
    public void Encoding_agrees_with_the_naive_encoder_on_varied_text(string text)
    {
        NaiveBpe naive = NaiveBpe.Train(string.Concat(Enumerable.Repeat(Sample, 3)), 400);
        Assert.Equal(naive.Encode(text), Trained.Encode(text));
        Assert.Equal(naive.Encode(text), Trained.EncodeWithoutLibrary(text));
    }

    [Property(MaxTest = 500, Arbitrary = [typeof(UnicodeString)])]
    public void The_library_gives_the_ids_of_our_own_merging(UnicodeString text)
    {
        string mixed = text.Get + Sample[(text.Get.Length % Sample.Length)..] + text.Get;
        Assert.Equal(Trained.EncodeWithoutLibrary(mixed), Trained.Encode(mixed));
    }

    [Fact]
    public void A_megabyte_without_a_space_is_encoded_like_any_text()
    {
        string word = string.Concat(Enumerable.Range(0, 100_000).Select(i => "fox" + (char)('a' + i * 7919L % 26) + "über"));
        int[] ids = Trained.Encode("The " + word + " end");
        Assert.Equal("The " + word + " end", Trained.Decode(ids));
        Assert.Equal(Trained.Encode("The"), ids[..1]);
        Assert.InRange(ids.Length, 200_000, 600_000);
    }

    [Property(MaxTest = 500, Arbitrary = [typeof(UnicodeString)])]
    public void Decoding_gives_back_any_text(UnicodeString text) => Assert.Equal(text.Get, Trained.Decode(Trained.Encode(text.Get)));

    [Theory]
    [InlineData("a\ud800b")]
    [InlineData("\udc00")]
    [InlineData("\udc00\ud800 x")]
    [InlineData("end \ud83d")]
    public void An_unpaired_surrogate_counts_as_the_replacement_character(string text)
    {
        string replaced = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        Assert.Equal(Trained.Encode(replaced), Trained.Encode(text));
        Assert.Equal(replaced, Trained.Decode(Trained.Encode(text)));
    }

    [Fact]
    public void A_letter_outside_the_basic_plane_is_a_letter()
    {
        // GPT-2's pattern takes the mathematical letter with its neighbours; classes of UTF-16 units would cut around it.
        BpeTokenizer tokenizer = BpeTokenizer.Train("a𝐀b a𝐀b a𝐀b", 256 + 6);
        Assert.Single(tokenizer.Encode(" a𝐀b"));
    }

    [Fact]
    public void Training_the_same_text_gives_the_same_file() =>
        Assert.Equal(Trained.Serialize(), BpeTokenizer.Train(string.Concat(Enumerable.Repeat(Sample, 3)), 400).Serialize());

    [Fact]
    public void Merging_ends_when_no_pair_occurs_twice() => Assert.Equal(257, BpeTokenizer.Train("ab ab cd", 1000).VocabularySize);

    [Fact]
    public void The_first_ids_are_the_bytes_in_the_order_of_GPT2()
    {
        Assert.Equal([(byte)'!'], Trained.Bytes(0).ToArray());
        Assert.Equal([(byte)'~'], Trained.Bytes(93).ToArray());
        Assert.Equal([0xFF], Trained.Bytes(187).ToArray());
        Assert.Equal([0x00], Trained.Bytes(188).ToArray());
        Assert.Equal([(byte)' '], Trained.Bytes(220).ToArray());
        Assert.Equal([0xAD], Trained.Bytes(255).ToArray());
    }

    [Fact]
    public void Threads_may_share_a_tokenizer()
    {
        int[][] all = new int[16][];
        BpeTokenizer fresh = BpeTokenizer.Train(Sample, 400);
        Parallel.For(0, all.Length, i => all[i] = fresh.Encode(Sample + i));
        for (int i = 0; i < all.Length; i++)
        {
            Assert.Equal(fresh.Encode(Sample + i), all[i]);
        }
    }

    [Theory]
    [InlineData(255)]
    [InlineData(65537)]
    public void A_vocabulary_out_of_range_is_refused(int vocabulary)
    {
        string sentence = Assert.Throws<InputException>(() => BpeTokenizer.Train("abc", vocabulary)).Message;
        Assert.Contains("change --vocab", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(400)]
    public void An_id_out_of_the_vocabulary_is_named(int id) =>
        Assert.Contains($"id {id} ", Assert.Throws<InputException>(() => Trained.Decode([id])).Message, StringComparison.Ordinal);

    // Few letters, so that pairs repeat and overlap; some white space, so that there are pieces.
    private static Arbitrary<string> LetterSoup() =>
        Gen.Elements([.. "aaabc \n'1é"]).ListOf().Select(letters => new string([.. letters])).Resize(150).ToArbitrary();
}
