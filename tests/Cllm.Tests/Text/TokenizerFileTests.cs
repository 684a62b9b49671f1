using System.Text.Json;
using System.Text.Json.Nodes;
using Cllm.Model;
using Cllm.Model.Text;

namespace Cllm.Tests.Text;

public sealed class TokenizerFileTests : IDisposable
{
    private const string Sample = "The fox said \"hello\" to the other fox, and the other fox said \"hello\" to the fox. 😀 é";

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => ["byte", "char", "bpe"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_saved_tokenizer_loads_as_the_same_tokenizer(string kind)
    {
        ITokenizer tokenizer = Tokenizers.Train(kind, Sample, 290);
        string path = _folder.File("tokenizer.json");
        TokenizerFile.Save(path, tokenizer);
        ITokenizer loaded = TokenizerFile.Load(path);
        Assert.Equal(kind, loaded.Kind);
        Assert.Equal(tokenizer.VocabularySize, loaded.VocabularySize);
        Assert.Equal(tokenizer.Encode(Sample), loaded.Encode(Sample));
        Assert.Equal(Sample, loaded.Decode(loaded.Encode(Sample)));
        Assert.Equal(File.ReadAllBytes(path), loaded.Serialize());
        Assert.Equal(TokenizerFile.Digest(tokenizer), TokenizerFile.Digest(loaded));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    // Pinned: a digest names a tokenizer in run.json, so the bytes of the file may not drift between versions of .NET or of this code.
    [Theory]
    [InlineData("byte", "7ef2153a20112799")]
    [InlineData("char", "0b8029aecfbcae71")]
    [InlineData("bpe", "e1a2d63ed1e22554")]
    public void The_bytes_of_a_file_are_the_same_for_ever(string kind, string digest) =>
        Assert.StartsWith(digest, TokenizerFile.Digest(Tokenizers.Train(kind, Sample, 290)), StringComparison.Ordinal);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_as_published_for_GPT2_loads(bool mergesAsPairs)
    {
        BpeTokenizer trained = BpeTokenizer.Train(Sample, 290);
        ITokenizer loaded = Load(Published(trained, mergesAsPairs));
        int endOfText = trained.VocabularySize;
        Assert.Equal(endOfText + 1, loaded.VocabularySize);
        Assert.Equal([.. trained.Encode("fox said"), endOfText, endOfText, .. trained.Encode(" hello\n")],
            loaded.Encode("fox said<|endoftext|><|endoftext|> hello\n"));
        Assert.Equal("fox<|endoftext|>", loaded.Decode([.. trained.Encode("fox"), endOfText]));
        Assert.Equal(trained.Encode("a <|endoftext"), loaded.Encode("a <|endoftext"));
        Assert.Equal(loaded.Serialize(), Load(loaded.Serialize()).Serialize());
    }

    [Fact]
    public void Of_two_added_tokens_at_one_place_the_longer_is_taken()
    {
        BpeTokenizer trained = BpeTokenizer.Train(Sample, 260);
        JsonNode file = Change(trained, root => root["added_tokens"] = new JsonArray(Added(260, "<|a|>"), Added(261, "<|a|><|b|>")));
        Assert.Equal([261, 260], Load(file).Encode("<|a|><|b|><|a|>"));
    }

    [Theory]
    [InlineData("normalizer", """{"type":"NFC"}""", "a normalizer")]
    [InlineData("pre_tokenizer", """{"type":"Whitespace"}""", "another pre-tokenizer")]
    [InlineData("pre_tokenizer", """{"type":"ByteLevel","add_prefix_space":true}""", "add_prefix_space")]
    [InlineData("pre_tokenizer", """{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""", "use_regex")]
    [InlineData("model", """{"type":"Unigram","vocab":[]}""", "a model of type Unigram")]
    [InlineData("model", """{"type":"WordLevel","vocab":{"word":0},"unk_token":"word"}""", "WordLevel")]
    [InlineData("model", """{"type":"BPE","vocab":{},"merges":[]}""", "an empty vocabulary")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":[]}""", "no token for byte 0x00")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}""", "\"b\" has id 0")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}""", "no token for byte 0x00")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"小":1},"merges":[]}""", "the token \"小\"")]
    [InlineData("model", """{"type":"BPE","vocab":{},"merges":[],"end_of_word_suffix":"</w>"}""", "an end_of_word_suffix")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":"x"},"merges":[]}""", "is not a tokenizer.json")]
    [InlineData("model", """7""", "is not a tokenizer.json")]
    [InlineData("model", """{"type":"BPE","vocab":{"":0},"merges":[]}""", "a token without text")]
    [InlineData("added_tokens", """[{"id":300,"content":"x y"},{"id":301,"content":"x y"}]""", "the added token \"x y\" twice")]
    public void What_would_change_ids_is_refused_by_name(string field, string value, string expected)
    {
        JsonNode file = Change(BpeTokenizer.Train(Sample, 260), root => root[field] = JsonNode.Parse(value));
        string sentence = Assert.Throws<InputException>(() => Load(file)).Message;
        Assert.Contains(expected, sentence, StringComparison.Ordinal);
        Assert.Contains(_folder.File("tokenizer.json"), sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\": 12", "a token without text")]
    [InlineData("\"a\": 12", "the token \"a\" twice")]
    public void A_vocabulary_of_characters_with_a_token_that_is_none_is_refused(string entry, string expected)
    {
        string file = System.Text.Encoding.UTF8.GetString(Tokenizers.Train("char", "abc").Serialize());
        Refused(expected, () => Load(System.Text.Encoding.UTF8.GetBytes(file.Replace("\"vocab\": {", $"\"vocab\": {{{entry},"))));
    }

    [Theory]
    [InlineData("h q")]
    [InlineData("hello")]
    [InlineData("小 a")]
    public void A_merge_that_makes_no_token_is_named(string merge)
    {
        JsonNode file = Change(BpeTokenizer.Train(Sample, 256), root => root["model"]!["merges"] = new JsonArray(merge));
        Assert.Contains($"merge 1 ({merge})", Assert.Throws<InputException>(() => Load(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_a_folder_and_one_that_is_no_JSON_are_told_apart()
    {
        string path = _folder.File("tokenizer.json");
        Refused("There is no tokenizer file", () => TokenizerFile.Load(path));
        File.WriteAllText(path, "{ not json");
        Refused("is not a tokenizer.json", () => TokenizerFile.Load(path));
        Refused("cannot be read", () => TokenizerFile.Load(_folder.Path));
    }

    [Fact]
    public void An_unknown_kind_is_refused() => Refused("--tokenizer", () => Tokenizers.Train("word", Sample));

    private static void Refused(string expected, Func<object> action) =>
        Assert.Contains(expected, Assert.Throws<InputException>(action).Message, StringComparison.Ordinal);

    private static JsonNode Change(ITokenizer tokenizer, Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(tokenizer.Serialize())!;
        change(root);
        return root;
    }

    private static JsonObject Added(int id, string text) =>
        new() { ["id"] = id, ["content"] = text, ["special"] = true, ["lstrip"] = false };

    // As the GPT-2 file on the Hub is: no use_regex, the end of text in the vocabulary and among the added tokens.
    private static JsonNode Published(BpeTokenizer trained, bool mergesAsPairs) => Change(trained, root =>
    {
        int endOfText = trained.VocabularySize;
        root["pre_tokenizer"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}""");
        root["post_processor"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false}""");
        root["added_tokens"] = new JsonArray(Added(endOfText, "<|endoftext|>"));
        JsonObject model = root["model"]!.AsObject();
        model.Remove("type");
        model["continuing_subword_prefix"] = "";
        model["vocab"]!["<|endoftext|>"] = endOfText;
        if (mergesAsPairs)
        {
            string[] merges = JsonSerializer.Deserialize<string[]>(model["merges"])!;
            model["merges"] = JsonSerializer.SerializeToNode(merges.Select(merge => merge.Split(' ')));
        }
    });

    private ITokenizer Load(JsonNode file) => Load(System.Text.Encoding.UTF8.GetBytes(file.ToJsonString()));

    private ITokenizer Load(byte[] file)
    {
        File.WriteAllBytes(_folder.File("tokenizer.json"), file);
        return TokenizerFile.Load(_folder.File("tokenizer.json"));
    }
}
